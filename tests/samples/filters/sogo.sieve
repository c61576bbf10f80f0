require ["fileinto","imap4flags","vacation"];

if allof ( not exists ["list-help", "list-unsubscribe", "list-id", "Mailing-List"], not header :is "Precedence" ["list", "bulk", "junk"], not header :matches "To" "Multiple recipients of*" ) { vacation :days 7 :addresses ["ann@lycee.example"] text:
I am away.
.
;}

if anyof (header :contains "subject" "devis", address :is :all ["to", "cc"] "shop@lycee.example") {
    addflag "\\Flagged";
    fileinto "Shops";
    stop;
}
