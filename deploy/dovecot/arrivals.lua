-- Tells the webmail into which mailbox something came, so that it can act before anybody opens it. Nothing of the message is told.
-- What can't be told is found within the hour: mail is delivered in any case, and waits for this half a second at most.

local client, url, key

function script_init(settings)
  url, key = settings.url, settings.key
  client = dovecot.http.client({
    request_timeout = "500ms", connect_timeout = "500ms", request_absolute_timeout = "500ms", request_max_attempts = 1
  })
  return 0
end

local function encoded(text)
  return (text:gsub("[^%w]", function(byte) return string.format("%%%02X", string.byte(byte)) end))
end

function dovecot_lua_notify_begin_txn(user)
  return { user = user.username, mailboxes = {} }
end

function dovecot_lua_notify_event_message_new(context, event)
  context.mailboxes[event.mailbox] = true
end

function dovecot_lua_notify_end_txn(context, success)
  if not success then return end
  for mailbox in pairs(context.mailboxes) do
    local request = client:request({ url = url, method = "POST" })
    request:add_header("X-Traboule-Key", key)
    request:add_header("Content-Type", "application/x-www-form-urlencoded")
    request:set_payload("user=" .. encoded(context.user) .. "&mailbox=" .. encoded(mailbox))
    local response = request:submit()
    if response:status() ~= 200 then
      dovecot.i_warning("the webmail was not told of mail: " .. response:status() .. " " .. response:reason())
    end
  end
end
