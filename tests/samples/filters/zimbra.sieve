require ["fileinto", "reject", "tag", "flag"];
# Letters
disabled_if anyof (header :contains ["subject"] "x", address :domain :is :comparator "i;ascii-casemap" ["from"] "list.example") {
    fileinto "/Letters";
    tag "To do";
    flag "read";
    stop;
}
