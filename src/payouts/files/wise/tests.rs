use super::*;
use crate::payout_details::{AccountType, Address, PaypalRecipient, WiseAccount, WiseNumber};
use crate::payouts::files::tests::support::{golden, money, row, text, written};
use crate::payouts::files::{Payer, fit};

fn payer(template: Template, source: &str) -> Payer {
    let source = Currency::parse(source).unwrap();
    Payer::Wise(WiseFile { source, template, fixed: Fixed::Target, saved: Vec::new() })
}

fn by_email(name: &str, email: &str) -> Details {
    Details::Wise(WiseRecipient::Email { name: name.to_owned(), email: email.to_owned() })
}

fn account(currency: &str, number: WiseNumber) -> Details {
    let (name, currency) = ("Jane Ng".to_owned(), currency.to_owned());
    Details::Wise(WiseRecipient::Account(WiseAccount { name, email: None, currency, number }))
}

fn iban() -> WiseNumber {
    WiseNumber::Iban { iban: "DE89370400440532013000".to_owned() }
}

fn refused(payer: &Payer, details: &Details, currency: &str) -> (Field, String) {
    let problem = fit(payer, &row("pl_1", "Jane Ng", details, money(2_000, currency))).err().unwrap();
    (problem.field, problem.reason)
}

#[test]
fn recipients_are_invited_by_e_mail() {
    let (jane, zoe) = (by_email("Jane Ng", "jane@x.example"), by_email("Zoë, \"Z\"", "zoe@x.example"));
    let rows = [row("pl_1", "Jane", &jane, money(2_000, "EUR")), row("pl_20", "Zoë", &zoe, money(112_000, "EUR"))];
    golden("wise_email.csv", text(&payer(Template::Email, "EUR"), &rows).as_bytes());
}

#[test]
fn accounts_are_in_the_columns_of_their_currency() {
    let digits = |text: &str| text.to_owned();
    let sort = WiseNumber::SortCode { sort_code: digits("040004"), account_number: digits("01234567") };
    let bsb = WiseNumber::Bsb { bsb_code: digits("062000"), account_number: digits("12345678") };
    let [country, town, line, postcode] = ["US", "Austin", "5 Main St, Apt 3", "73301"].map(digits);
    let address = Address { line, town, postcode, country };
    let account_type = AccountType::Checking;
    let (abartn, account_number) = (digits("111000025"), digits("0123456789"));
    let aba = WiseNumber::Aba { abartn, account_number, account_type, address };
    for (currency, number) in [("EUR", iban()), ("GBP", sort), ("AUD", bsb), ("USD", aba)] {
        let jane = account(currency, number);
        let rows = [row("pl_1", "Jane", &jane, money(2_000, currency))];
        let file = text(&payer(Template::Account, "EUR"), &rows);
        golden(&format!("wise_{}.csv", currency.to_lowercase()), file.as_bytes());
    }
}

#[test]
fn saved_recipients_are_named_by_their_id() {
    let file = "recipientId,name,account,sourceCurrency,targetCurrency,amountCurrency,amount,paymentReference\r\n\
        101,Jané NG,(EUR) ending 3000,EUR,EUR,source,,\r\n\
        102,Bo Li,(EUR) ending 1111,EUR,EUR,source,,\r\n\
        103,Bo Li,(EUR) ending 2222,EUR,EUR,source,,\r\n\
        104,Zoe,(USD) ending 4,EUR,USD,source,,\r\n";
    let saved = saved_recipients(file.as_bytes()).unwrap();
    let source = Currency::parse("EUR").unwrap();
    let payer = Payer::Wise(WiseFile { source, template: Template::Recipient, fixed: Fixed::Source, saved });
    let jane = by_email("Jane Ng", "jane@x.example");
    let rows = [row("pl_1", "Jane", &jane, money(2_000, "EUR"))];
    golden("wise_saved.csv", text(&payer, &rows).as_bytes());
    let two = "2 recipients that you saved at Wise could be Jane Ng.";
    assert_eq!(refused(&payer, &by_email("Bo Li", "bo@x.example"), "EUR"), (Field::Account, two.to_owned()));
    let none = "No recipient for EUR that you saved at Wise has the name or e-mail address of Jane Ng.";
    assert_eq!(refused(&payer, &by_email("Zoe", "zoe@x.example"), "EUR"), (Field::Account, none.to_owned()));
    let wrong = saved_recipients(b"name,recipientEmail\r\nJane,jane@x.example\r\n").unwrap_err();
    assert_eq!(wrong.reason, "This is not Wise’s file of saved recipients: it has no columns recipientId and name.");
    let Payer::Wise(mut empty) = payer else { panic!() };
    empty.saved.clear();
    let problem = Payer::Wise(empty).problems().remove(0);
    assert_eq!(problem.reason, "Upload the file of your saved recipients from Wise first.");
}

#[test]
fn what_wise_cannot_send_is_said() {
    let (email, accounts) = (payer(Template::Email, "EUR"), payer(Template::Account, "EUR"));
    let jane = by_email("Jane Ng", "jane@x.example");
    let paypal = Details::Paypal(PaypalRecipient::Email("jane@x.example".to_owned()));
    let cases = [
        (&email, &paypal, "EUR", Field::Method, "Jane Ng is paid by PayPal, and this is a file for Wise."),
        (
            &accounts,
            &jane,
            "EUR",
            Field::Account,
            "Jane Ng has no account here, only an e-mail address: use Wise’s file for those.",
        ),
        (
            &email,
            &account("EUR", iban()),
            "EUR",
            Field::Email,
            "Jane Ng has an account here, and no e-mail address: use Wise’s file of accounts.",
        ),
        (
            &accounts,
            &account("GBP", iban()),
            "EUR",
            Field::Currency,
            "Jane Ng’s account at Wise is in GBP, and this payout in EUR.",
        ),
        (
            &accounts,
            &account("USD", iban()),
            "USD",
            Field::Account,
            "Jane Ng’s account has no number of the kind that USD is sent to.",
        ),
        (&email, &by_email(" ", "jane@x.example"), "EUR", Field::Name, "The name of Jane Ng’s account is empty."),
        (
            &email,
            &by_email("=Jane", "jane@x.example"),
            "EUR",
            Field::Name,
            "The name of Jane Ng’s account begins like a formula, so no file can carry it safely.",
        ),
    ];
    for (payer, details, currency, field, reason) in cases {
        assert_eq!(refused(payer, details, currency), (field, reason.to_owned()));
    }
    let source = Currency::parse("EUR").unwrap();
    let fixed = WiseFile { source, template: Template::Email, fixed: Fixed::Source, saved: Vec::new() };
    let reason = "Jane Ng is owed 20.00 USD, and Wise would send as many EUR: fix the target instead.";
    assert_eq!(refused(&Payer::Wise(fixed), &jane, "USD"), (Field::Currency, reason.to_owned()));
}

#[test]
fn a_file_has_at_most_1_000_rows_and_a_header_each() {
    let jane = by_email("Jane Ng", "jane@x.example");
    let rows = vec![row("pl_1", "Jane", &jane, money(310, "JPY")); 2_001];
    let files = written(&payer(Template::Email, "EUR"), &rows).unwrap();
    let lines: Vec<usize> = files.iter().map(|file| file.iter().filter(|byte| **byte == b'\n').count()).collect();
    assert_eq!(lines, [1_001, 1_001, 2]);
    assert!(files.iter().all(|file| file.starts_with(b"name,recipientEmail,")));
    let last = String::from_utf8_lossy(&files[2]).into_owned();
    assert!(last.contains(",pl-1 Acme referral,PERSON,target,310,EUR,JPY"), "{last}");
}
