use std::collections::HashSet;

use proptest::prelude::*;
use rand::{SeedableRng as _, rngs::StdRng};

use super::*;
use crate::spelling::{heard, spelled};

fn code(seed: u64) -> String {
    generate(&mut StdRng::seed_from_u64(seed))
}

#[test]
fn a_hundred_thousand_codes() {
    let rng = &mut StdRng::seed_from_u64(20);
    let mut seen = HashSet::new();
    let mut counts = [0_u32; 256];
    for number in 0..100_000 {
        let code = generate(rng);
        // Checking each form is slow without optimisation; checking for repeats is not.
        if number % 20 > 0 {
            assert!(seen.insert(code.replace('-', "")), "{code} twice");
            continue;
        }
        assert!(code.len() == 12 && &code[3..4] == "-" && &code[7..8] == "-", "{code}");
        let form = lookup_form(&code);
        assert!(is_generated_form(&code) && repaired(&code) == form && grouped(&form) == code);
        assert!(!id::is_lead_code_form(&form));
        for b in form.bytes().take(SYMBOLS - 1) {
            counts[usize::from(b)] += 1;
        }
        assert!(seen.insert(form), "{code} twice");
    }
    // No symbol is starved by what is left out: each has at least half of its even share.
    assert!(ALPHABET.iter().all(|b| counts[usize::from(*b)] > 45_000 / 23 / 2), "{counts:?}");
}

#[test]
fn few_draws_are_thrown_away() {
    let rng = &mut StdRng::seed_from_u64(1);
    let draw = |_| (0..10).map(|_| char::from(ALPHABET[rng.random_range(0..23)])).collect::<String>();
    let rude = (0..10_000).map(draw).filter(|symbols| is_rude(symbols)).count();
    assert!(rude < 2500, "{rude} of 10,000");
}

#[test]
fn rude_words_are_seen_in_disguise() {
    for symbols in [
        "FVCK234567",
        "23F4RTHHHH",
        "KKK2345678",
        "JJ5H7JJJJJ",
        "CVN7JJJJJJ",
        "JN42JJJJJJ",
        "J455JJJJJJ",
        "2345678N96",
        "C53XCCCCCC",
        "7W47MMMMMM",
    ] {
        assert!(is_rude(symbols), "{symbols}");
    }
    assert!(!is_rude("K7M4XPD2CW"));
}

#[test]
fn every_rude_word_can_occur_and_none_holds_another() {
    let makeable = |w: u8| ALPHABET.iter().any(|symbol| reads_as(*symbol, w));
    for word in RUDE {
        assert!(word.bytes().all(makeable), "{word} cannot occur");
        assert!(!RUDE.iter().any(|other| other != word && word.contains(other)), "{word} holds another");
    }
    assert!(RUDE.is_sorted());
}

#[test]
fn every_letter_and_digit_has_its_class() {
    assert_eq!(repaired("0OQ 1IL Z S B G U E A"), "DDD777258 6V34".replace(' ', ""));
    for c in ('0'..='9').chain('A'..='Z') {
        let class = repaired(&c.to_string());
        assert!(class.len() == 1 && ALPHABET.contains(&class.as_bytes()[0]), "{c}");
        assert!(!ALPHABET.contains(&(c as u8)) || class == c.to_string(), "{c}");
    }
}

#[test]
fn lookup_forms() {
    for (text, form) in [
        (" k7m-4xp-d2cw ", "K7M4XPD2CW"),
        ("Ｋ７Ｍ\u{2011}4xp\u{2014}d2cw", "K7M4XPD2CW"),
        ("agent_1.2", "AGENT_12"),
        ("ueONFmUp", "UEONFMUP"),
        ("straße", "STRASSE"),
        ("jose\u{301}", "JOSÉ"),
        ("a\u{200b}b\u{ad}c", "ABC"),
        ("-.-", ""),
    ] {
        assert_eq!(lookup_form(text), form, "{text}");
    }
}

#[test]
fn custom_codes_keep_their_spelling() {
    for text in ["AGENT123", "ueONFmUp", "jane-doe", "a_b.c", "MÜLLER10", "123", &"x".repeat(40), "K7M-4XP-D2CW"] {
        assert_eq!(parse_custom(text).as_deref(), Ok(text));
    }
    assert_eq!(parse_custom(" jose\u{301} ").as_deref(), Ok("josé"));
    for (text, fault) in [
        ("ab", CodeError::Length),
        ("", CodeError::Length),
        ("a b", CodeError::Character),
        ("a/b", CodeError::Character),
        ("a\0b", CodeError::Character),
        ("<b>", CodeError::Character),
        ("-_-", CodeError::OnlySigns),
        ("...", CodeError::OnlySigns),
    ] {
        assert_eq!(parse_custom(text), Err(fault), "{text}");
    }
    assert_eq!(parse_custom(&"x".repeat(41)), Err(CodeError::Length));
    let lead = id::lead_code(7);
    for text in [
        lead.clone(),
        lead.to_lowercase(),
        format!("{}-{}", &lead[..3], &lead[3..]),
        format!("{}.{}", &lead[..3], &lead[3..]),
    ] {
        assert_eq!(parse_custom(&text), Err(CodeError::Reserved), "{text}");
    }
}

#[test]
fn codes_are_spelled_and_heard() {
    assert_eq!(spelled("k7m"), "K for Kilo, 7, M for Mike");
    assert_eq!(spelled("a_É"), "A for Alfa, underscore, É");
    for said in [
        "kilo seven mike",
        "Kilo 7 Mike",
        "K for Kilo, 7, M for Mike",
        "K as in kilo, seven, M as in Mary",
        "k like kilo 7 m for mike",
        "KILO. SEVEN. MIKE.",
        "kilo, 7 mike!",
    ] {
        assert_eq!(heard(said), "K7M", "{said}");
    }
    for (said, wanted) in [
        ("double kilo for ate", "KK48"),
        ("x-ray yankee", "XY"),
        ("triple seven to alpha", "7772A"),
        ("double k", "KK"),
        ("niner whisky juliet oh", "9WJ0"),
        ("agent one two three", "AGENT123"),
        ("alfa underscore bravo", "A_B"),
        ("four double", "4DOUBLE"),
        // No spelling in it: as it is.
        (" K7M-4XP-D2CW ", "K7M-4XP-D2CW"),
        ("Jane Miller", "Jane Miller"),
        ("double trouble", "double trouble"),
        ("k 7 m", "k 7 m"),
        ("", ""),
    ] {
        assert_eq!(heard(said), wanted, "{said}");
    }
}

#[test]
fn a_look_alike_with_a_mark_is_mended_once_for_all() {
    // A lone cedilla is a space and a mark; the mark is left behind the letter.
    let mended = repaired("O\u{b8}");
    assert_eq!((repaired(&mended), repaired(&lookup_form("O\u{b8}"))), (mended.clone(), mended));
}

#[test]
fn distances() {
    for (a, b, steps) in [
        ("", "abc", 3),
        ("K7M", "K7M", 0),
        ("ab", "ba", 1),
        ("kitten", "sitting", 3),
        ("abcd", "abdc", 1),
        ("ca", "abc", 3),
        ("agent1", "agnet2", 2),
    ] {
        assert_eq!((distance(a, b), distance(b, a)), (steps, steps), "{a} {b}");
    }
}

/// All texts that a person may make of a symbol.
fn look_alikes(symbol: char) -> Vec<char> {
    ('0'..='9').chain('A'..='Z').filter(|c| repaired(&c.to_string()) == symbol.to_string()).collect()
}

proptest! {
    #[test]
    fn every_wrong_symbol_and_every_swap_is_noticed(seed: u64) {
        let right = lookup_form(&code(seed)).into_bytes();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        for at in 0..SYMBOLS {
            for symbol in ('0'..='9').chain('A'..='Z').map(|c| c as u8) {
                let mut wrong = right.clone();
                wrong[at] = symbol;
                let mended = repaired(&text(&wrong));
                prop_assert!(mended.as_bytes() == right || !is_generated_form(&mended));
            }
            for other in 0..at {
                let mut wrong = right.clone();
                wrong.swap(at, other);
                prop_assert!(wrong == right || !is_generated_form(&text(&wrong)));
            }
        }
    }

    #[test]
    fn ascii_has_the_form_that_everything_has(text in "[ -~\t\n\r\x0b\x00]{0,24}") {
        prop_assert_eq!(lookup_form(&text), lookup_form(&format!("{text}\u{200b}")));
    }

    #[test]
    fn any_look_alikes_case_and_spacing_repair_to_the_code(seed: u64, choices in prop::collection::vec((any::<usize>(), 0_u8..4, 0_u8..4), 12)) {
        let right = code(seed);
        let mut said = String::new();
        for (c, (which, case, space)) in right.chars().zip(choices) {
            let alike = look_alikes(c);
            let c = if alike.is_empty() { '\u{2013}' } else { alike[which % alike.len()] };
            match case {
                0 => said.extend(c.to_lowercase()),
                // Full width.
                1 if c.is_ascii() => said.extend(char::from_u32(c as u32 + 0xfee0)),
                _ => said.push(c),
            }
            said.push_str(["", "", " ", "-"][usize::from(space)]);
        }
        prop_assert_eq!(repaired(&said), lookup_form(&right));
    }

    #[test]
    fn what_is_spelled_is_heard(seed: u64, text in "[a-zA-Z0-9_]{3,12}") {
        let code = code(seed);
        prop_assert_eq!(heard(&spelled(&code)), lookup_form(&code));
        prop_assume!(text.contains(|c: char| c.is_ascii_alphabetic()));
        prop_assert_eq!(lookup_form(&heard(&spelled(&text))), lookup_form(&text));
    }

    #[test]
    fn forms_are_stable(text in any::<String>()) {
        let (form, mended) = (lookup_form(&text), repaired(&text));
        prop_assert_eq!(lookup_form(&form), form.clone());
        prop_assert_eq!(repaired(&mended), mended.clone());
        prop_assert_eq!(repaired(&form), mended);
    }

    #[test]
    fn custom_codes_read_as_themselves(text in "[\\w.-]{0,42}") {
        if let Ok(code) = parse_custom(&text) {
            prop_assert_eq!(parse_custom(&code), Ok(code.clone()));
            prop_assert_eq!(lookup_form(&code), lookup_form(&text));
            prop_assert!(!id::is_lead_code_form(&lookup_form(&code)));
        }
    }

    #[test]
    fn distance_is_a_count_of_steps(a in "[A-D]{0,8}", b in "[A-D]{0,8}") {
        let steps = distance(&a, &b);
        prop_assert_eq!(steps == 0, a == b);
        prop_assert!(steps >= a.len().abs_diff(b.len()) && steps <= a.len().max(b.len()));
        prop_assert_eq!(steps, distance(&b, &a));
    }

    #[test]
    fn nothing_panics(text in "\\PC{0,40}") {
        let _ = (heard(&text), spelled(&text), grouped(&text), parse_custom(&text), distance(&text, "K7M"), is_generated_form(&text));
    }
}

#[test]
fn forms_are_stable_for_every_character_that_has_another_form() {
    let changing = |c: &char| c.to_string().nfkd().collect::<String>().to_uppercase() != c.to_string();
    for c in ('\0'..=char::MAX).filter(changing) {
        let form = lookup_form(&format!("{c}\u{301}"));
        assert_eq!(lookup_form(&form), form, "{c:?}");
    }
}
