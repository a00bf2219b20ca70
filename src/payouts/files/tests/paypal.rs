use std::sync::Arc;

use proptest::prelude::*;

use super::support::{golden, head, money, paypal, row, text, written};
use crate::payout_details::{Details, PaypalRecipient};
use crate::payouts::files::{DecimalMark, Field, FileError, Parts, Payer, Payers, PaypalFile, Row, Writer, fit};

fn payer(decimal: DecimalMark) -> Payer {
    Payer::Paypal(PaypalFile { decimal })
}

fn refused(details: &Details, minor: i64, currency: &str) -> (Field, String) {
    let row = row("pl_1", "Jane Ng", details, money(minor, currency));
    let problem = fit(&payer(DecimalMark::Point), &row).err().unwrap();
    (problem.field, problem.reason)
}

#[test]
fn the_file_is_the_one_that_paypal_describes() {
    let (jane, phone) = (paypal("jane@partner.example"), PaypalRecipient::Phone("+4915112345678".to_owned()));
    let (phone, id) = (Details::Paypal(phone), Details::Paypal(PaypalRecipient::PayerId("QYR5Z8XDVJNXQ".to_owned())));
    let rows = [
        row("pl_1", "Jane Ng", &jane, money(2_000, "EUR")),
        Row { note: "=HYPERLINK(\"x\")\nfor, all", ..row("pl_2", "Bo", &phone, money(1_120, "EUR")) },
        row("pl_3", "Zoë", &id, money(123_456_789, "EUR")),
    ];
    golden("paypal.csv", text(&payer(DecimalMark::Point), &rows).as_bytes());
    golden("paypal_comma.csv", text(&payer(DecimalMark::Comma), &rows).as_bytes());
}

#[test]
fn what_paypal_cannot_send_is_said() {
    let jane = paypal("jane@partner.example");
    let hand = Details::Hand { text: "cash".to_owned() };
    assert_eq!(
        refused(&jane, 0, "EUR"),
        (Field::Amount, "Jane Ng is owed 0.00 EUR: only more than 0 can be sent.".to_owned())
    );
    assert_eq!(refused(&jane, 100, "KES"), (Field::Currency, "PayPal sends no KES.".to_owned()));
    assert_eq!(
        refused(&hand, 100, "EUR"),
        (Field::Method, "Jane Ng is paid by hand, and this is a file for PayPal.".to_owned())
    );
    let whole = "PayPal sends whole HUF only, and Jane Ng is owed 12.50.";
    assert_eq!(refused(&jane, 1_250, "HUF"), (Field::Amount, whole.to_owned()));
    let empty = (Field::Account, "The PayPal e-mail address of Jane Ng is empty.".to_owned());
    assert_eq!(refused(&paypal(" \n"), 1, "EUR"), empty);
    let formula = "The PayPal e-mail address of Jane Ng begins like a formula, so no file can carry it safely.";
    assert_eq!(refused(&paypal("=cmd@x.example"), 1, "EUR"), (Field::Account, formula.to_owned()));
    assert_eq!(refused(&paypal(&"x".repeat(128)), 1, "EUR").0, Field::Account);
}

#[test]
fn whole_currencies_have_no_decimals() {
    let jane = paypal("jane@partner.example");
    for (minor, currency, sent) in [(1_200, "HUF", ",12,HUF,"), (310, "JPY", ",310,JPY,"), (500, "TWD", ",5,TWD,")] {
        let rows = [row("pl_1", "Jane", &jane, money(minor, currency))];
        assert!(text(&payer(DecimalMark::Comma), &rows).contains(sent), "{currency}");
    }
}

#[test]
fn a_file_has_at_most_5_000_rows() {
    let jane = paypal("jane@partner.example");
    let rows = vec![row("pl_1", "Jane", &jane, money(5, "EUR")); 12_001];
    let files = written(&payer(DecimalMark::Point), &rows).unwrap();
    let lines: Vec<usize> = files.iter().map(|file| file.iter().filter(|byte| **byte == b'\n').count()).collect();
    assert_eq!(lines, [5_000, 5_000, 2_001]);
    let payers = Payers::of(payer(DecimalMark::Point));
    let mut parts = Parts::of(&payers);
    (1..=12_001).for_each(|id| parts.add(0, id, 5));
    let heads = parts.heads(&head(&rows));
    let ids: Vec<(&str, i64)> = heads.iter().map(|(_, head)| (head.id.as_str(), head.total)).collect();
    assert_eq!(ids, [("refdesk-12-1", 25_000), ("refdesk-12-2", 25_000), ("refdesk-12-3", 10_005)]);
    let lines: Vec<(i64, i64)> = heads.iter().map(|(part, _)| (part.first, part.last)).collect();
    assert_eq!(lines, [(1, 5_000), (5_001, 10_000), (10_001, 12_001)]);
}

#[test]
fn a_file_of_other_rows_than_announced_is_not_finished() {
    let jane = paypal("jane@partner.example");
    let rows = [row("pl_1", "Jane", &jane, money(5, "EUR")), row("pl_2", "Jane", &jane, money(7, "EUR"))];
    let (payer, mut out) = (Arc::new(payer(DecimalMark::Point)), Vec::new());
    let mut writer = Writer::begin(&payer, &head(&rows), &mut out).unwrap();
    writer.row(&rows[0], &mut out).unwrap();
    let other = row("pl_3", "Jane", &jane, money(7, "USD"));
    assert!(matches!(writer.row(&other, &mut out), Err(FileError::Currency { .. })));
    let error = writer.end(&mut out).unwrap_err();
    let sentence = "The file has 1 rows of 0.05 EUR together, its head says 2 of 0.12 EUR.";
    assert_eq!(error.to_string(), sentence);
}

proptest! {
    /// The whole of a row is read back by the csv crate, whatever stands in it.
    #[test]
    fn a_row_is_read_back(name in "[a-z]{1,8}", note in any::<String>(), minor in 1_i64..1_000_000_000_000, comma in any::<bool>()) {
        let to = paypal(&format!("{name}@x.example"));
        let one = Row { note: &note, ..row("pl_1", "Jane", &to, money(minor, "EUR")) };
        let decimal = if comma { DecimalMark::Comma } else { DecimalMark::Point };
        let file = text(&payer(decimal), &[one]);
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(file.as_bytes());
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        prop_assert_eq!(rows.len(), 1);
        prop_assert_eq!(rows[0].len(), 6);
        prop_assert_eq!(&rows[0][0], format!("{name}@x.example"));
        prop_assert_eq!(rows[0][1].replace([',', '.'], "").parse::<i64>().unwrap(), minor);
        prop_assert_eq!(&rows[0][3], "pl_1");
        prop_assert!(!rows[0][4].starts_with(['=', '-', '@']));
        prop_assert_eq!(file.matches('\n').count(), 1);
    }
}
