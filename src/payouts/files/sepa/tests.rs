//! Transfers by the rules that the schema does not know; golden files that a schema check has passed.

mod document;
mod structure;
mod text;

use super::SepaFile;
use crate::payout_details::{AccountNumber, Address, BankAccount, Details};
use crate::payouts::files::tests::support::{account, bank, money, row};
use crate::payouts::files::{Field, Payer, fit};

fn address(town: &str, country: &str) -> Address {
    let text = str::to_owned;
    Address { line: text("Main Street 5"), town: text(town), postcode: text("12345"), country: text(country) }
}

fn plain_payer() -> SepaFile {
    let (name, iban) = ("Müller & Söhne GmbH".to_owned(), "de89 3704 0044 0532 0130 00".to_owned());
    SepaFile { name, iban, ..SepaFile::default() }
}

fn payer() -> Payer {
    Payer::Sepa(Box::new(plain_payer()))
}

fn refused(payer: &Payer, details: &Details, minor: i64, currency: &str) -> (Field, String) {
    let row = row("pl_1", "Jane Ng", details, money(minor, currency));
    let problem = fit(payer, &row).err().unwrap();
    (problem.field, problem.reason)
}

const GERMAN: &str = "DE89370400440532013000";
const BRITISH: &str = "GB29NWBK60161331926819";

#[test]
fn what_a_bank_would_refuse_is_said() {
    let jane = bank("Jane Ng", GERMAN);
    let local = AccountNumber::Local { account: "123".to_owned(), routing: "4".to_owned() };
    let local = Details::Bank(BankAccount { number: local, ..account("Jane Ng", GERMAN) });
    let bic = AccountNumber::Iban { iban: GERMAN.to_owned(), bic: Some("COBADEF".to_owned()) };
    let bic = Details::Bank(BankAccount { number: bic, ..account("Jane Ng", GERMAN) });
    let cases = [
        (&jane, 0, "EUR", Field::Amount, "Jane Ng is owed 0.00 EUR: only more than 0 can be sent."),
        (
            &jane,
            100_000_000_000,
            "EUR",
            Field::Amount,
            "Jane Ng is owed 1,000,000,000.00 EUR, and a SEPA transfer is at most 999,999,999.99 EUR.",
        ),
        (&jane, 100, "USD", Field::Currency, "Jane Ng is owed 1.00 USD, and SEPA transfers are in EUR only."),
        (&local, 1, "EUR", Field::Account, "Jane Ng has an account without an IBAN, and SEPA pays to IBANs only."),
        (
            &bic,
            1,
            "EUR",
            Field::Bic,
            "The BIC of Jane Ng is wrong. A BIC has 8 or 11 letters and digits, like COBADEFF or COBADEFFXXX.",
        ),
        (&bank(" ", GERMAN), 1, "EUR", Field::Name, "The name of Jane Ng’s account is empty."),
        (
            &bank("🙂 !", GERMAN),
            1,
            "EUR",
            Field::Name,
            "The name of Jane Ng’s account has no letter that a bank takes.",
        ),
        (
            &bank("Jane", "SA0380000000608010167519"),
            1,
            "EUR",
            Field::Account,
            "The IBAN of Jane Ng is of Saudi Arabia, which is no country of SEPA.",
        ),
        (
            &Details::Hand { text: "cash".to_owned() },
            1,
            "EUR",
            Field::Method,
            "Jane Ng is paid by hand, and this is a file for bank transfers in SEPA.",
        ),
    ];
    for (details, minor, currency, field, reason) in cases {
        assert_eq!(refused(&payer(), details, minor, currency), (field, reason.to_owned()));
    }
    let (field, reason) = refused(&payer(), &bank("Jane", "DE89370400440532013001"), 1, "EUR");
    assert!(
        field == Field::Account && reason.starts_with("The IBAN of Jane Ng is wrong. The check digits"),
        "{reason}"
    );
}

#[test]
fn a_transfer_that_leaves_the_eea_needs_both_addresses() {
    let jane = bank("Jane Ng", BRITISH);
    let own = "A transfer to United Kingdom, as to Jane Ng, needs your own address in the settings for SEPA.";
    assert_eq!(refused(&payer(), &jane, 1, "EUR"), (Field::PayerTown, own.to_owned()));
    let with = Payer::Sepa(Box::new(SepaFile { address: Some(address("Berlin", "DE")), ..plain_payer() }));
    let theirs = "A transfer to United Kingdom needs the address of Jane Ng, at least town and country.";
    assert_eq!(refused(&with, &jane, 1, "EUR"), (Field::Address, theirs.to_owned()));
    for (town, country) in [("", "GB"), ("London", ""), ("London", "GBR"), ("☂", "GB")] {
        let jane = BankAccount { address: Some(address(town, country)), ..account("Jane Ng", BRITISH) };
        assert_eq!(refused(&with, &Details::Bank(jane), 1, "EUR").0, Field::Address, "{town} {country}");
    }
    let jane = BankAccount { address: Some(address("London", "gb")), ..account("Jane Ng", BRITISH) };
    assert!(fit(&with, &row("pl_1", "Jane", &Details::Bank(jane), money(1, "EUR"))).is_ok());
}

#[test]
fn a_name_is_shown_as_it_will_be_sent() {
    let long = bank(&"Großmüller & ".repeat(9), &GERMAN.to_ascii_lowercase());
    let shown = fit(&payer(), &row("pl_1", "Jane", &long, money(99_999_999_999, "EUR"))).ok().unwrap();
    assert_eq!(shown.name, "Grossmueller + Grossmueller + Grossmueller + Grossmueller + Grossmuell");
    assert_eq!((shown.name.len(), shown.account.as_str()), (70, GERMAN));
    assert_eq!(shown.reference, "Acme referral commission, payout 12");
}

#[test]
fn settings_are_checked_field_by_field() {
    assert!(payer().problems().is_empty());
    let wrong = SepaFile {
        name: "☂".to_owned(),
        iban: "SA0380000000608010167519".to_owned(),
        bic: Some("X".to_owned()),
        address: Some(address("", "DE")),
        rows_per_file: 0,
        ..SepaFile::default()
    };
    let problems = Payer::Sepa(Box::new(wrong)).problems();
    let fields: Vec<Field> = problems.iter().map(|problem| problem.field).collect();
    assert_eq!(fields, [Field::PayerName, Field::PayerIban, Field::PayerBic, Field::PayerTown, Field::RowsPerFile]);
    assert_eq!(problems[1].reason, "This IBAN is not of a SEPA country.");
    let stored: Payer = serde_json::from_str(r#"{"format":"sepa","name":"Acme","iban":"DE89"}"#).unwrap();
    let Payer::Sepa(stored) = stored else { panic!() };
    assert!(stored.batch_booking && stored.rows_per_file == 10_000);
}
