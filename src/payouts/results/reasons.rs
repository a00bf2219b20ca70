//! The reasons of ISO 20022 in plain words.

const REASONS: [(&str, &str); 32] = [
    ("AC01", "the account number is wrong"),
    ("AC03", "the account number is invalid"),
    ("AC04", "the account is closed"),
    ("AC06", "the account is blocked"),
    ("AC13", "the account is of a kind that takes no transfers"),
    ("AC14", "the account is of a kind that takes no transfers"),
    ("AG01", "the account may not receive transfers"),
    ("AG02", "the bank does not take this kind of transfer"),
    ("AM01", "the amount is 0"),
    ("AM02", "the amount is above the limit"),
    ("AM04", "the paying account has too little money"),
    ("AM05", "the transfer was sent twice"),
    ("AM09", "the amount is wrong"),
    ("AM10", "the sum of the file is wrong"),
    ("AM18", "the number of transfers in the file is wrong"),
    ("BE01", "the name does not fit the account"),
    ("BE04", "the recipient’s address is missing"),
    ("BE05", "the payer is not known"),
    ("BE06", "the recipient is not known at this bank"),
    ("BE07", "the payer’s address is missing"),
    ("CUST", "the payer asked for it"),
    ("DT01", "the day of execution is invalid"),
    ("DUPL", "the file was sent twice"),
    ("FF01", "the file has a wrong format"),
    ("MD07", "the recipient has died"),
    ("MS02", "the recipient refused it"),
    ("MS03", "the bank gives no reason"),
    ("NARR", "see the bank’s own words"),
    ("RC01", "the BIC is wrong"),
    ("RR03", "the recipient’s name or address is missing"),
    ("RR04", "the bank gives no reason because of the law"),
    ("TM01", "the file came too late"),
];

/// "AC04, the account is closed"; an unknown code stays alone.
pub(super) fn reason(code: &str) -> String {
    match REASONS.iter().find(|(known, _)| *known == code) {
        Some((_, words)) => format!("{code}, {words}"),
        None => code.to_owned(),
    }
}
