use std::collections::BTreeMap;
use std::io::Read;

use proptest::prelude::*;

use super::support::{money, row, written};
use super::table::{people, rows};
use crate::payout_details::Details;
use crate::payouts::files::{Column, Payer, Row, TableFile};

/// The files of a zip, by its central directory.
fn unzipped(zip: &[u8]) -> BTreeMap<String, String> {
    let number = |at: usize, bytes: usize| zip[at..at + bytes].iter().rev().fold(0, |n, b| n << 8 | usize::from(*b));
    let end = zip.windows(4).rposition(|mark| mark == b"PK\x05\x06").unwrap();
    let (files, mut at) = (number(end + 10, 2), number(end + 16, 4));
    let mut found = BTreeMap::new();
    for _ in 0..files {
        let (packed, name, local) = (number(at + 20, 4), number(at + 28, 2), number(at + 42, 4));
        let title = String::from_utf8(zip[at + 46..at + 46 + name].to_vec()).unwrap();
        assert_eq!(&zip[at + 12..at + 16], &[0, 0, 0x21, 0], "{title} has a time of its own");
        let data = local + 30 + number(local + 26, 2) + number(local + 28, 2);
        let mut text = String::new();
        let packed = &zip[data..data + packed];
        if number(at + 10, 2) == 0 {
            text = String::from_utf8(packed.to_vec()).unwrap();
        } else {
            flate2::read::DeflateDecoder::new(packed).read_to_string(&mut text).unwrap();
        }
        found.insert(title, text);
        at += 46 + name + number(at + 30, 2) + number(at + 32, 2);
    }
    found
}

fn sheet(payer: &Payer, rows: &[Row<'_>]) -> String {
    let mut files = written(payer, rows).unwrap();
    assert_eq!(files.len(), 1);
    unzipped(&files.remove(0)).remove("xl/worksheets/sheet1.xml").unwrap()
}

fn all() -> Payer {
    Payer::Xlsx(TableFile { columns: Column::ALL.to_vec(), ..TableFile::default() })
}

#[test]
fn ids_are_text_and_amounts_are_numbers() {
    let people = people();
    let sheet = sheet(&all(), &rows(&people));
    for text in ["line", "00123456", "040004", "DE89370400440532013000", "=Ng, &quot;Jane&quot;", "@Jane", "李伟"] {
        let text = text.replace("&quot;", "\"");
        let cell = sheet.split("<c ").find(|cell| cell.contains(&format!(">{text}<"))).unwrap();
        assert!(cell.contains("t=\"inlineStr\""), "{cell}");
    }
    for number in ["<v>20</v>", "<v>1234567.89</v>", "<v>0.01</v>", "<v>11.2</v>"] {
        let cell = sheet.split("<c ").find(|cell| cell.contains(number)).unwrap();
        assert!(!cell.contains("t="), "{cell}");
    }
}

#[test]
fn the_same_rows_give_the_same_bytes() {
    let people = people();
    let once = written(&all(), &rows(&people)).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    assert!(once == written(&all(), &rows(&people)).unwrap());
    let files = unzipped(&once[0]);
    assert!(files["docProps/core.xml"].contains("2026-11-29T15:04:05Z"));
    assert!(files["xl/styles.xml"].contains("#,##0.00"));
    assert!(files["xl/workbook.xml"].contains("refdesk-12"));
}

#[test]
fn amounts_have_the_decimals_of_their_currency() {
    let hand = Details::Hand { text: "cash".to_owned() };
    for (currency, format) in [("JPY", "#,##0"), ("KWD", "#,##0.000"), ("CLF", "#,##0.0000")] {
        let files = written(&all(), &[row("pl_1", "Jane", &hand, money(1, currency))]).unwrap();
        let styles = &unzipped(&files[0])["xl/styles.xml"];
        // The format without decimals is one that every workbook has, number 3.
        let has = styles.contains(&format!("formatCode=\"{format}\"")) || styles.contains("numFmtId=\"3\"");
        assert!(has, "{currency}: {styles}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn an_amount_keeps_its_digits(minor in 1_i64..1_000_000_000_000) {
        let hand = Details::Hand { text: "cash".to_owned() };
        for currency in ["EUR", "JPY", "KWD"] {
            let amount = money(minor, currency);
            let sheet = sheet(&all(), &[row("pl_1", "Jane", &hand, amount)]);
            let plain = amount.plain();
            let digits = if plain.contains('.') { plain.trim_end_matches('0').trim_end_matches('.') } else { &plain };
            prop_assert!(sheet.contains(&format!("<v>{digits}</v>")), "{plain}: {sheet}");
        }
    }

    #[test]
    fn any_text_makes_a_readable_workbook(text in any::<String>()) {
        let hand = Details::Hand { text: text.clone() };
        let files = written(&all(), &[row("pl_1", &text, &hand, money(1, "EUR"))]).unwrap();
        let sheet = &unzipped(&files[0])["xl/worksheets/sheet1.xml"];
        prop_assert!(!sheet.contains(|c: char| c.is_control() && c != '\n'));
    }
}
