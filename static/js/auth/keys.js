/* Security keys and passkeys: a button asks the browser for an answer, which is sent with the form around the button. */
(function () {
  "use strict";

  var able = window.PublicKeyCredential, FRESH = 240000, waiting, busy; // milliseconds: shorter than a challenge lasts
  if (!able || !navigator.credentials) return;
  function bytes(text) { // from base64url
    return Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), function (c) { return c.charCodeAt(0); });
  }
  function text(buffer) {
    var letters = String.fromCharCode.apply(null, new Uint8Array(buffer));
    return btoa(letters).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  }
  function read(json) { // PublicKeyCredential.parse...FromJSON is younger than many browsers
    var options = JSON.parse(json);
    options.challenge = bytes(options.challenge);
    if (options.user) options.user.id = bytes(options.user.id);
    (options.allowCredentials || options.excludeCredentials).forEach(function (one) { one.id = bytes(one.id); });
    var salts = ((options.extensions || {}).prf || {}).evalByCredential || {};
    Object.keys(salts).forEach(function (id) { salts[id] = { first: bytes(salts[id].first) }; });
    return options;
  }
  function written(found) {
    var answer = found.response, response = {}, extensions = found.getClientExtensionResults();
    var computed = extensions.prf && extensions.prf.results; // what opens the keys of encryption
    ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"].forEach(function (name) {
      if (answer[name]) response[name] = text(answer[name]);
    });
    if (answer.getTransports) response.transports = answer.getTransports();
    return JSON.stringify({
      id: found.id, rawId: text(found.rawId), type: found.type, response: response,
      clientExtensionResults: { credProps: extensions.credProps, prf: computed ? text(computed.first) : undefined }
    });
  }
  function send(part, found) {
    var form = part.closest("form");
    part.querySelector("[name=key]").value = written(found);
    if (part.dataset.action) form.setAttribute("action", part.dataset.action);
    HTMLFormElement.prototype.submit.call(form); // a field may be called "submit"; others may be empty
  }
  function say(part, error) {
    var words = part.querySelector(".field-error") || document.createElement("p"), told = part.querySelector("[name=key]").dataset;
    words.className = "field-error";
    words.setAttribute("role", "alert");
    words.textContent = (error === "InvalidStateError" && told.known) || told.silent;
    part.appendChild(words);
  }
  function options(part, then, fail) { // those of a page that may be open for hours come when they are needed
    var request;
    if (part.dataset.options) return then(part.dataset.options);
    request = new XMLHttpRequest();
    request.open("GET", part.dataset.from);
    request.onload = function () { if (request.status === 200) then(request.responseText); else fail(request); };
    request.onerror = fail;
    request.send();
  }
  function ask(part, quietly) {
    function fail(error) {
      if (quietly) return;
      busy = false;
      say(part, error.name);
    }
    if (busy) return; // what somebody pressed goes before what is offered, and is pressed once
    busy = !quietly;
    options(part, function (json) {
      var asked = { publicKey: read(json) };
      if (quietly && busy) return;
      if (waiting) waiting.abort();
      if (quietly) {
        asked.mediation = "conditional"; // offered among the names that the browser knows, where one types it
        asked.signal = (waiting = new AbortController()).signal;
      }
      navigator.credentials[part.hasAttribute("data-create") ? "create" : "get"](asked).then(function (found) {
        if (quietly && busy) return;
        busy = false;
        send(part, found);
      }, fail);
    }, fail);
  }
  function dress() {
    document.querySelectorAll("[data-key]").forEach(function (part) {
      var without = part.querySelector("[data-without]"), field = part.querySelector("[name=key]"), button;
      if (part.dataset.origin !== location.origin || part.querySelector("button")) return;
      button = document.createElement("button");
      button.type = "button";
      button.className = field.hasAttribute("data-main") ? "btn btn-primary" : "btn";
      button.textContent = field.dataset.label;
      part.insertBefore(button, field);
      if (without) without.hidden = true;
    });
  }
  document.addEventListener("click", function (event) {
    var button = event.target.closest && event.target.closest("[data-key] button");
    if (button) ask(button.closest("[data-key]"));
  });
  document.addEventListener("htmx:load", dress);
  dress();

  var alone = document.querySelector("[data-key][data-from]");
  if (alone && alone.dataset.origin === location.origin && able.isConditionalMediationAvailable) {
    able.isConditionalMediationAvailable().then(function (can) {
      if (!can) return;
      ask(alone, true);
      setInterval(function () { if (!document.hidden) ask(alone, true); }, FRESH);
    });
  }
})();
