use super::support::{bank, golden, money, paypal, row, text, written};
use crate::payout_details::{AccountNumber, BankAccount, Details};
use crate::payouts::files::{Column, DecimalMark, Delimiter, Payer, Row, TableFile};

pub fn people() -> [Details; 4] {
    let local = AccountNumber::Local { account: "00123456".to_owned(), routing: "040004".to_owned() };
    let (holder, country) = ("=Ng, \"Jane\"".to_owned(), "KE".to_owned());
    [
        paypal("jane@partner.example"),
        bank("Jörg Müller", "DE89370400440532013000"),
        Details::Bank(BankAccount { holder, country, number: local, address: None }),
        Details::Hand { text: "Voucher,\nby post".to_owned() },
    ]
}

pub fn rows(people: &[Details; 4]) -> [Row<'_>; 4] {
    let note = "-note; with \"quotes\"";
    [
        Row { email: Some("jane@example.com"), ..row("pl_1", "Jane Ng", &people[0], money(2_000, "EUR")) },
        row("pl_2", "Jörg", &people[1], money(123_456_789, "EUR")),
        Row { note, ..row("pl_3", "@Jane", &people[2], money(1, "EUR")) },
        row("pl_4", "李伟", &people[3], money(1_120, "EUR")),
    ]
}

#[test]
fn a_table_has_the_columns_that_were_chosen() {
    let people = people();
    let usual = Payer::Csv(TableFile::default());
    golden("table.csv", text(&usual, &rows(&people)).as_bytes());
    let (columns, delimiter, decimal) = (Column::ALL.to_vec(), Delimiter::Semicolon, DecimalMark::Comma);
    let all = Payer::Csv(TableFile { columns, delimiter, decimal });
    golden("table_semicolon.csv", text(&all, &rows(&people)).as_bytes());
}

#[test]
fn no_cell_runs_in_a_spreadsheet() {
    let people = people();
    for delimiter in Delimiter::ALL {
        let payer = Payer::Csv(TableFile { columns: Column::ALL.to_vec(), delimiter, ..TableFile::default() });
        let text = text(&payer, &rows(&people));
        let mark = u8::try_from(delimiter.mark()).unwrap();
        let mut reader = csv::ReaderBuilder::new().delimiter(mark).from_reader(text.as_bytes());
        let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        assert_eq!(records.len(), 4);
        for cell in records.iter().flatten() {
            assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']), "{cell:?}");
        }
    }
}

#[test]
fn a_table_without_amounts_is_no_file() {
    let problem = |columns: &[Column]| {
        let payer = Payer::Xlsx(TableFile { columns: columns.to_vec(), ..TableFile::default() });
        payer.problems().iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(problem(&[Column::Line]), ["The file needs the column amount."]);
    assert_eq!(problem(&[Column::Amount, Column::Iban, Column::Iban]), ["The column iban is chosen twice."]);
    assert!(problem(&[Column::Amount]).is_empty());
    let people = people();
    let none = Payer::Csv(TableFile { columns: Vec::new(), ..TableFile::default() });
    assert_eq!(written(&none, &rows(&people)).unwrap_err().to_string(), "The file needs the column amount.");
}

#[test]
fn settings_are_stored_as_words() {
    let payer = Payer::Csv(TableFile { columns: vec![Column::Line, Column::Amount], ..TableFile::default() });
    let stored = serde_json::to_string(&payer).unwrap();
    assert_eq!(stored, r#"{"format":"csv","columns":["line","amount"],"delimiter":"comma","decimal":"point"}"#);
    assert_eq!(serde_json::from_str::<Payer>(&stored).unwrap(), payer);
    let sparse: Payer = serde_json::from_str(r#"{"format":"csv"}"#).unwrap();
    assert_eq!(sparse, Payer::Csv(TableFile::default()));
}
