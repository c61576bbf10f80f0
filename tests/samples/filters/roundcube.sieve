require ["fileinto","imap4flags","body","date"];
# rule:[Letters]
if anyof (header :contains "subject" "letter", not exists "x-school")
{
	setflag "\\Seen";
	fileinto "Letters";
	stop;
}
# rule:[Switched off]
if false # allof (body :contains "x", currentdate :is "weekday" "0")
{
	discard;
}
# rule:[Mixed]
if allof (header :is "x-a" "1", anyof (header :is "x-b" "2", size :over 5K))
{
	stop;
}
