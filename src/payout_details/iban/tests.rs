use proptest::prelude::*;

use super::*;

/// Published examples, one of each kind of spelling.
const RIGHT: [&str; 12] = [
    "DE89370400440532013000",
    "FR1420041010050500013M02606",
    "NL91ABNA0417164300",
    "GB29NWBK60161331926819",
    "NO9386011117947",
    "MT84MALT011000012345MTLCAST001S",
    "BE68539007547034",
    "CH9300762011623852957",
    "SA0380000000608010167519",
    "LC55HEMM000100010012001200023015",
    "XK051212012345678906",
    "BR1800360305000010009795493C1",
];

#[test]
fn published_numbers_are_right_in_any_spelling() {
    for number in RIGHT {
        assert_eq!(iban(number).as_deref(), Ok(number));
        let groups: Vec<String> = number.chars().collect::<Vec<_>>().chunks(4).map(|g| g.iter().collect()).collect();
        for written in [groups.join(" "), groups.join("-").to_lowercase(), format!("IBAN: {}", groups.join("\u{a0}"))] {
            assert_eq!(iban(&written).as_deref(), Ok(number), "{written}");
        }
    }
    assert_eq!(iban("ＤＥ８９３７０４００４４０５３２０１３０００").as_deref(), Ok("DE89370400440532013000"));
}

#[test]
fn the_table_is_whole() {
    assert_eq!(PLANS.len(), TABLE.lines().count());
    assert!(PLANS.is_sorted_by_key(|plan| plan.country));
    for plan in PLANS.iter() {
        assert!((11..=30).contains(&plan.kinds.len()), "{}", plan.country);
        assert!(plan.kinds.iter().all(|kind| matches!(kind, 'n' | 'a' | 'c')), "{}", plan.country);
    }
    let sepa = PLANS.iter().filter(|plan| plan.is_sepa).count();
    assert_eq!(sepa, 42);
    for (country, length) in [("DE", 22), ("AT", 20), ("NO", 15), ("MT", 31), ("GB", 22), ("VA", 22), ("RS", 22)] {
        assert_eq!(plan_of(country).map(|plan| plan.kinds.len() + 4), Some(length), "{country}");
    }
}

#[test]
fn a_refusal_names_the_rule_or_the_group() {
    for (number, why) in [
        ("", "An IBAN begins with the two letters of its country and two digits, like DE89 3704 0044 …"),
        (
            "370400440532013000",
            "An IBAN begins with the two letters of its country and two digits, like DE89 3704 0044 …",
        ),
        ("ZZ89 3704", "No country’s IBANs begin with ZZ."),
        ("DE89 3704 0044 0532 0130 0", "An IBAN of Germany has 22 characters, this one 21: is one left out?"),
        ("DE89 3704 0044 0532 0130 000", "An IBAN of Germany has 22 characters, this one 23: is one too many?"),
        ("DE89 3704 O044 0532 0130 00", "Group 3 of this IBAN has a letter where IBANs of Germany have digits."),
        ("NL91 ABN4 0417 1643 00", "Group 2 of this IBAN has a digit where IBANs of Netherlands have letters."),
        ("DE89 37/4 0044 0532 0130 00", "Group 2 of this IBAN has a character that is no letter and no digit."),
    ] {
        assert_eq!(iban(number).unwrap_err().to_string(), why, "{number}");
    }
    let swapped = iban("DE89 3704 0044 0523 0130 00").unwrap_err();
    assert!(matches!(&swapped, IbanError::CheckDigits { groups } if groups.is_empty() || groups.contains(&4)));
    let one = IbanError::CheckDigits { groups: vec![4] };
    assert_eq!(one.to_string(), "The check digits of this IBAN do not fit: group 4 is likely wrong.");
    let some = IbanError::CheckDigits { groups: vec![2, 4, 6] };
    assert_eq!(some.to_string(), "The check digits of this IBAN do not fit: group 2, 4 or 6 is likely wrong.");
}

#[test]
fn check_digits_that_no_bank_gives_are_refused() {
    // 97 and 00 leave the same remainder.
    let mut made = 0;
    for n in 0..400_u32 {
        let rest = format!("{:018}", 370_400_440_532_013_000_u64 + u64::from(n));
        if iban(&format!("DE97{rest}")).is_ok() {
            made += 1;
            assert!(iban(&format!("DE00{rest}")).is_err());
        }
    }
    assert!(made > 0);
}

#[test]
fn bics() {
    for (written, read) in [
        ("cobadeff", "COBADEFF"),
        ("COBA DE FF XXX", "COBADEFFXXX"),
        ("E097DEXX", "E097DEXX"),
        ("NCBVXKPR", "NCBVXKPR"),
    ] {
        assert_eq!(bic(written).as_deref(), Ok(read));
    }
    for written in ["", "COBADEF", "COBADEFFXX", "COBA12FF", "COBADEFF/XX", "COBADEFFÄXX"] {
        assert_eq!(bic(written), Err(BicError::Form), "{written}");
    }
    assert_eq!(bic("COBAZZFF"), Err(BicError::Country));
}

proptest! {
    #[test]
    fn one_changed_character_is_found(number in 0..RIGHT.len(), at in 0_usize..40, to in "[0-9A-Z]") {
        let mut text: Vec<char> = RIGHT[number].chars().collect();
        let at = at % text.len();
        let to = to.chars().next().unwrap();
        // A letter counts as two digits, so a digit that becomes one may leave the same remainder.
        prop_assume!(text[at] != to && text[at].is_ascii_digit() == to.is_ascii_digit());
        text[at] = to;
        let text: String = text.into_iter().collect();
        prop_assert!(iban(&text).is_err(), "{}", text);
    }

    #[test]
    fn a_changed_digit_is_among_the_suspects(number in 0..RIGHT.len(), at in 0_usize..40, by in 1_u32..10) {
        let mut text: Vec<char> = RIGHT[number].chars().collect();
        let at = at % text.len();
        prop_assume!(at >= 2 && text[at].is_ascii_digit());
        text[at] = char::from_digit((text[at].to_digit(10).unwrap() + by) % 10, 10).unwrap();
        let typed: String = text.iter().collect();
        match iban(&typed) {
            Err(IbanError::CheckDigits { groups }) => prop_assert!(groups.is_empty() || groups.contains(&group(at))),
            other => prop_assert!(false, "{typed}: {other:?}"),
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        if let Ok(number) = iban(&text) {
            prop_assert_eq!(iban(&number), Ok(number.clone()));
        }
        if let Ok(number) = bic(&text) {
            prop_assert_eq!(bic(&number), Ok(number.clone()));
        }
    }
}
