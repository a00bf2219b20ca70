use std::sync::Arc;

use proptest::prelude::*;

use super::super::{SepaFile, WithoutBic};
use super::structure::checked;
use super::{BRITISH, GERMAN, address, payer, plain_payer};
use crate::payout_details::{AccountNumber, BankAccount, Details};
use crate::payouts::files::tests::support::{account, bank, golden, head, money, row, text, written};
use crate::payouts::files::{Payer, Row, Writer};

fn with_bic(holder: &str, iban: &str, bic: &str) -> Details {
    let number = AccountNumber::Iban { iban: iban.to_owned(), bic: Some(bic.to_owned()) };
    Details::Bank(BankAccount { number, ..account(holder, iban) })
}

#[test]
fn a_file_is_the_one_that_banks_take() {
    let people = [
        bank("Jane Smith", "FR1420041010050500013M02606"),
        with_bic("Jan Jansen", "NL91ABNA0417164300", "abnanl2a"),
        bank("Zoë <Müller> & Co.", GERMAN),
    ];
    let rows = [
        row("pl_1", "Jane", &people[0], money(2_000, "EUR")),
        row("pl_2", "Jan", &people[1], money(1_120, "EUR")),
        Row { note: "🙂", ..row("pl_3", "Zoë", &people[2], money(1, "EUR")) },
    ];
    let file = text(&payer(), &rows);
    assert_eq!(checked(&file), (3, 3_121));
    assert!(!file.contains("NOTPROVIDED</Id></Othr></FinInstnId></CdtrAgt>"));
    golden("sepa.xml", file.as_bytes());
}

#[test]
fn the_switches_of_a_bank_are_in_the_file() {
    let jane = BankAccount { address: Some(address("London", "GB")), ..account("Jane Ng", BRITISH) };
    let long = "Flat 3, The Old Rectory, Upper Long Street of the Very Long Village Name, Behind the Church";
    let people = [Details::Bank(jane.clone()), {
        let mut far = address("Zürich", "CH");
        (far.line, far.postcode) = (long.to_owned(), String::new());
        Details::Bank(BankAccount { address: Some(far), ..account("Jo Ng", "CH9300762011623852957") })
    }];
    let payer = Payer::Sepa(Box::new(SepaFile {
        bic: Some("COBADEFFXXX".to_owned()),
        address: Some(address("Berlin", "DE")),
        batch_booking: false,
        without_bic: WithoutBic::NotProvided,
        ..plain_payer()
    }));
    let rows = [
        row("pl_1", "Jane", &people[0], money(99_999_999_999, "EUR")),
        row("pl_2", "Jo", &people[1], money(99_999_999_999, "EUR")),
    ];
    let file = text(&payer, &rows);
    assert_eq!(checked(&file), (2, 199_999_999_998));
    golden("sepa_switches.xml", file.as_bytes());
}

#[test]
fn a_payout_above_the_limit_is_several_files() {
    let jane = bank("Jane", GERMAN);
    let payer = Payer::Sepa(Box::new(SepaFile { rows_per_file: 2, ..plain_payer() }));
    let rows: Vec<Row<'_>> = (1..=5).map(|cents| row("pl_1", "Jane", &jane, money(cents, "EUR"))).collect();
    let files = written(&payer, &rows).unwrap();
    let sums: Vec<(usize, i64)> = files.iter().map(|file| checked(std::str::from_utf8(file).unwrap())).collect();
    assert_eq!(sums, [(2, 3), (2, 7), (1, 5)]);
    assert!(std::str::from_utf8(&files[1]).unwrap().contains("<MsgId>refdesk-12-2</MsgId>"));
}

#[test]
fn memory_does_not_grow_with_the_file() {
    let jane = bank("Jane", GERMAN);
    let one = row("pl_123", "Jane", &jane, money(5, "EUR"));
    let rows = vec![one; 10_000];
    let (payer, mut out, mut bytes) = (Arc::new(payer()), Vec::new(), 0);
    let mut writer = Writer::begin(&payer, &head(&rows), &mut out).unwrap();
    for row in &rows {
        writer.row(row, &mut out).unwrap();
        bytes += out.len();
        out.clear();
    }
    writer.end(&mut out).unwrap();
    assert!(bytes > 2_000_000 && out.capacity() < 4_096, "{bytes} {}", out.capacity());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_people_are_called_the_file_is_whole(
        names in prop::collection::vec((any::<String>(), any::<String>(), 1_i64..=99_999_999_999), 1..8),
    ) {
        let people: Vec<Details> = names.iter().map(|(name, ..)| bank(&format!("J{name}"), GERMAN)).collect();
        let rows: Vec<Row<'_>> = names
            .iter()
            .zip(&people)
            .map(|((_, note, cents), to)| Row { note, ..row("pl_1", "Jane", to, money(*cents, "EUR")) })
            .collect();
        let sum = names.iter().map(|(.., cents)| cents).sum::<i64>();
        prop_assert_eq!(checked(&text(&payer(), &rows)), (names.len(), sum));
    }
}
