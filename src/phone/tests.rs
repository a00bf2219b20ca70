use proptest::prelude::*;

use super::*;

fn e164(text: &str, country: &str) -> Result<String, PhoneError> {
    Phone::parse(text, country).map(|phone| phone.e164)
}

#[test]
fn one_number_in_many_spellings() {
    for text in [
        "+254722000001",
        "0722 000 001",
        "0722-000-001",
        "(0722) 000.001",
        "+254 (0)722-000-001",
        "00254722000001",
        "254722000001",
        "722000001",
        "tel:+254-722-000-001",
        "＋２５４ ７２２ 000 001",
        " +254\u{a0}722\u{2011}000001 ",
        "\u{202a}+254722000001\u{202c}",
        "000254722000001",
        "+254 0722000001",
    ] {
        assert_eq!(e164(text, "KE").as_deref(), Ok("+254722000001"), "{text}");
    }
    assert_eq!(e164("+254722000001", "").as_deref(), Ok("+254722000001"));
    assert_eq!(Phone::parse(" 0722 000 001 ", "ke").unwrap().text(), "0722 000 001");
}

#[test]
fn countries_have_their_ways() {
    for (text, country, wanted) in [
        ("(415) 555-2671", "US", "+14155552671"),
        ("1 415 555 2671", "US", "+14155552671"),
        ("011 44 20 7946 0018", "US", "+442079460018"),
        ("0011 44 20 7946 0018", "AU", "+442079460018"),
        ("020 7946 0018", "GB", "+442079460018"),
        ("+44 020 7946 0018", "US", "+442079460018"),
        ("06 698 12345", "IT", "+390669812345"),
        ("+39 (0)6 698 12345", "IT", "+390669812345"),
        ("+254 (0)122 000 001", "US", "+254122000001"),
        ("0044 (0)20 7946 0018", "US", "+442079460018"),
        ("8 (912) 345-67-89", "RU", "+79123456789"),
        ("044 668 18 00", "CH", "+41446681800"),
        ("011 15 2345-6789", "AR", "+5491123456789"),
        ("030 123456", "DE", "+4930123456"),
        ("+800 1234 5678", "DE", "+80012345678"),
    ] {
        assert_eq!(e164(text, country).as_deref(), Ok(wanted), "{text} {country}");
    }
}

/// Numbers that begin like their country code or trunk prefix; the crate's own parser cuts them.
#[test]
fn no_digit_of_a_number_is_lost() {
    for (text, country, wanted) in [
        ("391 234 5678", "IT", "+393912345678"),
        ("47 12 34 56", "NO", "+4747123456"),
        ("45 12 34 56", "DK", "+4545123456"),
        ("6512 3456", "SG", "+6565123456"),
        ("+7 800 123 45 67", "RU", "+78001234567"),
    ] {
        assert_eq!(e164(text, country).as_deref(), Ok(wanted), "{text} {country}");
    }
}

/// The length is right and the range is still unused: it may open some day.
#[test]
fn possible_is_enough() {
    assert_eq!(e164("+1 155 555 2671", "US").as_deref(), Ok("+11555552671"));
    assert_eq!(e164("0122 000 001", "KE").as_deref(), Ok("+254122000001"));
}

#[test]
fn what_is_no_number() {
    for (text, country, fault) in [
        ("", "US", PhoneError::Length),
        ("+", "US", PhoneError::CountryCode),
        ("555-1234", "US", PhoneError::Length),
        ("+1 555 1234", "US", PhoneError::Length),
        ("12", "KE", PhoneError::Length),
        ("+2547220000011111", "KE", PhoneError::Length),
        ("+999 123456789", "US", PhoneError::CountryCode),
        ("+0722000001", "KE", PhoneError::CountryCode),
        ("1-800-FLOWERS", "US", PhoneError::Form),
        ("415 555 2671 ext 5", "US", PhoneError::Form),
        ("415 555 2671 / x", "US", PhoneError::Form),
        ("++254722000001", "KE", PhoneError::Form),
        ("jane@x.io", "US", PhoneError::Form),
        ("n/a", "US", PhoneError::Form),
        ("0722000001", "XX", PhoneError::NeedsPlus),
        ("0722000001", "", PhoneError::NeedsPlus),
    ] {
        assert_eq!(e164(text, country), Err(fault), "{text} {country}");
    }
    assert_eq!(e164(&"1".repeat(100_000), "US"), Err(PhoneError::Form));
}

fn countries() -> Vec<String> {
    let mut ids: Vec<String> = DATABASE.iter().map(|country| country.id().to_owned()).collect();
    ids.sort();
    ids
}

#[test]
fn every_countrys_own_examples_are_read() {
    for id in countries() {
        let country = DATABASE.by_id(&id).unwrap();
        for kind in TYPES.iter().filter_map(|kind| country.descriptors().get(*kind)) {
            let Some(example) = kind.example() else { continue };
            let wanted = format!("+{}{example}", country.country_code());
            assert_eq!(e164(&wanted, "").as_deref(), Ok(wanted.as_str()), "{id}");
            assert_eq!(e164(example, &id).as_deref(), Ok(wanted.as_str()), "{id} at home");
        }
    }
}

proptest! {
    #[test]
    fn e164_reads_as_itself(digits in "(\\+|00|011|0|1|8)?[0-9]{3,13}", country in prop::sample::select(countries())) {
        if let Ok(number) = e164(&digits, &country) {
            prop_assert!(number.len() <= MAX_DIGITS + 1);
            prop_assert_eq!(e164(&number, "KE"), Ok(number));
        }
    }

    #[test]
    fn nothing_panics(text in "\\PC{0,20}", country in "\\PC{0,3}") {
        let _ = Phone::parse(&text, &country);
    }
}
