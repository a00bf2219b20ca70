use super::{euro, money};
use crate::payouts::results::{Columns, Look, Meaning, Outcome, ReadError, Reading, Report, look, table};

const PAYPAL: &str = "Date,Name,Type,Status,Currency,Gross,Fee,To Email Address,Transaction ID,Custom Number\r\n\
    29/11/2026,Jane Ng,Mass Payment,Completed,EUR,\"-1,020.00\",-0.25,jane@partner.example,9AB1,pl_1\r\n\
    29/11/2026,Bo,Mass Payment,Unclaimed,EUR,-11.20,-0.25,bo@x.example,9AB2,pl_2\r\n\
    29/11/2026,Zoë,Mass Payment,Returned,EUR,-5.00,0.00,zoe@x.example,9AB3,\r\n\
    29/11/2026,,General Withdrawal,Cleared,EUR,-5.00,0.00,,9AB4,\r\n";

const WISE: &str = "ID;Status;Direction;Created on;Target name;Target amount (after fees);Target currency;Reference\n\
    TRANSFER-1;COMPLETED;OUT;2026-11-29;Jane Ng;20.00;EUR;pl-1 Acme referral\n\
    TRANSFER-2;CANCELLED;OUT;2026-11-29;Bo;1120;JPY;PL-2 ACME\n\
    TRANSFER-3;In progress;OUT;2026-11-29;Zoë;x;EUR;\n";

fn text(name: &str) -> Option<String> {
    Some(name.to_owned())
}

#[test]
fn the_columns_of_paypal_and_wise_are_proposed() {
    let Look { proposed, statuses, sample, header } = look(PAYPAL.as_bytes(), None).unwrap();
    let columns = Columns {
        status: text("Status"),
        line: text("Custom Number"),
        recipient: text("To Email Address"),
        amount: text("Gross"),
        currency: text("Currency"),
        reference: text("Transaction ID"),
        reason: None,
    };
    assert_eq!((proposed.columns, sample.len(), header.len()), (columns, 4, 10));
    let statuses: Vec<(&str, Option<Meaning>)> = statuses.iter().map(|(word, _, is)| (word.as_str(), *is)).collect();
    let wanted = [
        ("Cleared", None),
        ("Completed", Some(Meaning::Paid)),
        ("Returned", Some(Meaning::Returned)),
        ("Unclaimed", Some(Meaning::Pending)),
    ];
    assert_eq!(statuses, wanted);
    let wise = look(WISE.as_bytes(), None).unwrap().proposed.columns;
    let proposed = [wise.line, wise.recipient, wise.amount, wise.currency, wise.reference];
    let names = ["Reference", "Target name", "Target amount (after fees)", "Target currency", "ID"];
    assert_eq!(proposed, names.map(text));
}

#[test]
fn rows_are_read_by_the_choices() {
    let mut reading = look(PAYPAL.as_bytes(), None).unwrap().proposed;
    let Report { rows, unread, .. } = table(PAYPAL.as_bytes(), &reading, euro()).unwrap();
    let read: Vec<(u64, Option<&str>, Option<_>, &Outcome)> =
        rows.iter().map(|row| (row.at, row.line.as_deref(), row.amount, &row.outcome)).collect();
    let wanted = [
        (2, Some("pl_1"), Some(money(102_000, "EUR")), &Outcome::Paid),
        (3, Some("pl_2"), Some(money(1_120, "EUR")), &Outcome::Pending),
        (4, None, Some(money(500, "EUR")), &Outcome::Returned(String::new())),
    ];
    assert_eq!(read, wanted);
    assert_eq!(unread[0].reason, "The status “Cleared” is not known: choose what it means.");
    assert_eq!((unread.len(), unread[0].at, rows[0].reference.as_str()), (1, 5, "9AB1"));
    // A choice once made holds, however the status is spelled.
    reading.choose("cleared", Meaning::Ignored);
    let stored: Reading = serde_json::from_str(&serde_json::to_string(&reading).unwrap()).unwrap();
    let report = table(PAYPAL.as_bytes(), &stored, euro()).unwrap();
    assert_eq!((report.rows, report.unread), (rows, Vec::new()));
}

#[test]
fn a_bad_row_leaves_the_others() {
    let reading = look(WISE.as_bytes(), None).unwrap().proposed;
    let Report { rows, unread, .. } = table(WISE.as_bytes(), &reading, euro()).unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!((rows[1].amount, &rows[1].outcome), (Some(money(1_120, "JPY")), &Outcome::Failed(String::new())));
    assert!(unread[0].at == 4 && unread[0].reason.starts_with("The amount “x” must be an amount"), "{unread:?}");
}

#[test]
fn a_file_without_the_chosen_columns_is_refused() {
    let reading = look(PAYPAL.as_bytes(), None).unwrap().proposed;
    let refused = |bytes: &[u8], reading: &Reading| table(bytes, reading, euro()).unwrap_err().to_string();
    let sentence = "The file has no column “Custom Number”. It has: ID, Status, Direction, Created on, Target name, \
        Target amount (after fees), Target currency, Reference.";
    assert_eq!(refused(WISE.as_bytes(), &reading), sentence);
    assert_eq!(refused(WISE.as_bytes(), &Reading::default()), "Choose the column with the status.");
    let alone = Columns { status: text("Status"), amount: text("Gross"), ..Columns::default() };
    let alone = Reading { columns: alone, ..Reading::default() };
    let sentence = "Choose the column with our id of the line, or those with recipient and amount.";
    assert_eq!(refused(PAYPAL.as_bytes(), &alone), sentence);
    assert!(matches!(look(b"", None), Err(ReadError::Table(_))));
    assert!(matches!(look(b"PK\x03\x04zip", None), Err(ReadError::Table(_))));
}
