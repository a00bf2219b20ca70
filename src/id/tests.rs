use std::collections::HashSet;

use proptest::prelude::*;
use rand::{SeedableRng as _, rngs::StdRng};

use super::*;

const EDGES: [i64; 6] = [0, 1, (1 << 40) - 1, 1 << 40, ID_LIMIT - 2, ID_LIMIT - 1];

#[test]
fn renderings_never_change() {
    // These are in other people's databases: a test that fails here is right.
    assert_eq!(render(Kind::Lead, 1), "lead_6yrybnr5hv6z0");
    assert_eq!(render(Kind::Referrer, 1), "agent_36mf6k214b3mq");
    assert_eq!(render(Kind::Lead, ID_LIMIT - 1), "lead_9ayxaj3s5wwxg");
    assert_eq!(object_id(1), "99913c131f7d7bb41c3e4cdd");
    assert_eq!(lead_code(1), "LV2BA2HER1");
    assert_eq!(lead_code(1 << 40), "LGRP17D711XNG");
}

#[test]
fn kinds_have_prefixes_of_their_own() {
    let prefixes: HashSet<&str> = Kind::ALL.iter().map(|kind| kind.prefix()).collect();
    assert_eq!(prefixes.len(), Kind::ALL.len());
    assert!(prefixes.iter().all(|prefix| prefix.bytes().all(|b| b.is_ascii_lowercase())));
    let digits: HashSet<String> =
        Kind::ALL.iter().map(|kind| render(*kind, 7).split_off(kind.prefix().len())).collect();
    assert_eq!(digits.len(), Kind::ALL.len());
}

#[test]
fn edges_read_back_and_what_is_beyond_does_not() {
    for id in EDGES {
        assert!(Kind::ALL.iter().all(|kind| parse(*kind, &render(*kind, id)) == Some(id)));
        assert_eq!((parse_object_id(&object_id(id)), parse_lead_code(&lead_code(id))), (Some(id), Some(id)));
    }
    for id in [-1, i64::MIN, ID_LIMIT, i64::MAX] {
        assert_eq!((parse(Kind::Lead, &render(Kind::Lead, id)), parse_object_id(&object_id(id))), (None, None));
        assert_eq!(parse_lead_code(&lead_code(id)).filter(|found| *found == id), None);
    }
}

#[test]
fn neighbours_do_not_read_as_a_count() {
    let ids: Vec<String> = (1..=1000).map(|id| render(Kind::Lead, id)).collect();
    let firsts: HashSet<&str> = ids.iter().map(|id| &id[5..8]).collect();
    assert!(firsts.len() > 900, "{}", firsts.len());
    let codes: HashSet<String> = (1..=1000).map(|id| lead_code(id)[1..4].to_owned()).collect();
    assert!(codes.len() > 900, "{}", codes.len());
    assert!(!ids.is_sorted());
}

#[test]
fn only_the_canonical_text_is_an_id() {
    let text = render(Kind::Payout, 42);
    let digits = &text["payout_".len()..];
    for other in [
        text.to_uppercase(),
        format!(" {text}"),
        format!("{text}0"),
        text[..text.len() - 1].to_owned(),
        digits.to_owned(),
        format!("pay_{digits}"),
        "payout_zzzzzzzzzzzzz".to_owned(),
        format!("payout_g{}", &digits[1..]),
        String::new(),
        "payout_".to_owned(),
        "payout_ééééééé".to_owned(),
    ] {
        assert_eq!(parse(Kind::Payout, &other), None, "{other}");
    }
    let object = object_id(42);
    for other in [
        object.to_uppercase(),
        format!("{object}0"),
        object[..23].to_owned(),
        String::new(),
        "é".repeat(12),
        format!("+{}", &object[1..]),
    ] {
        assert_eq!(parse_object_id(&other), None, "{other}");
    }
}

#[test]
fn lead_codes_forgive_what_crockford_forgives() {
    let code = (1..10_000).map(lead_code).find(|code| code[1..].contains('0') && code[1..].contains('1')).unwrap();
    let id = parse_lead_code(&code);
    assert!(id.is_some() && is_lead_code_form(&code));
    for same in [
        code.to_lowercase(),
        format!(" {}-{} ", &code[..4], &code[4..]),
        code.replace('0', "o"),
        code.replace('1', "I"),
        code.replace('1', "l"),
    ] {
        assert_eq!(parse_lead_code(&same), id, "{same}");
    }
    for other in ["", "L", "LEADER2024U", "AGENT123", "l", "LÉÉÉÉÉÉÉÉÉ", "L\u{212a}00000000"] {
        assert_eq!(parse_lead_code(other), None, "{other}");
    }
}

#[test]
fn random_texts_have_their_form() {
    let rng = &mut StdRng::seed_from_u64(7);
    let id = random_public_id("business", rng);
    assert!(
        id.strip_prefix("business_")
            .is_some_and(|digits| digits.len() == 20 && digits.bytes().all(|b| BASE32.contains(&b)))
    );
    let token = new_token(rng);
    assert!(token.len() == 43 && token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
    assert_ne!(token, new_token(rng));
    assert_eq!(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    let mut boxed: Box<dyn CryptoRng> = Box::new(StdRng::seed_from_u64(7));
    assert_eq!(random_public_id("business", &mut boxed), id);
}

#[test]
fn api_keys_carry_their_checksum() {
    let rng = &mut StdRng::seed_from_u64(7);
    for live in [true, false] {
        let key = new_api_key(live, rng);
        assert!(key.len() == 46 && key.starts_with(if live { "rk_live_" } else { "rk_test_" }), "{key}");
        assert!(api_key_checksum_ok(&key));
        let swapped = if live { key.replace("live", "test") } else { key.replace("test", "live") };
        for other in [
            swapped,
            key.to_lowercase(),
            format!("{key}0"),
            key[..45].to_owned(),
            format!(" {key}"),
            key.replace("rk_", "sk_"),
        ] {
            assert!(!api_key_checksum_ok(&other), "{other}");
        }
        for at in 8..46 {
            let mut wrong = key.clone().into_bytes();
            wrong[at] = if wrong[at] == b'a' { b'b' } else { b'a' };
            assert!(!api_key_checksum_ok(&String::from_utf8(wrong).unwrap()), "{at}");
        }
    }
    assert_eq!(key_check("").len(), 6);
    for other in ["", "rk_live_", "rk_live_\u{e9}", &format!("rk_live_{}", "é".repeat(19))] {
        assert!(!api_key_checksum_ok(other), "{other}");
    }
}

#[test]
fn a_publishable_key_is_no_other_key() {
    let rng = &mut StdRng::seed_from_u64(7);
    let key = new_publishable_key(rng);
    assert!(key.len() == 45 && publishable_key_ok(&key) && !api_key_checksum_ok(&key), "{key}");
    assert!(!publishable_key_ok(&new_api_key(true, rng)));
    assert!(!publishable_key_ok(&key.to_lowercase()) && !publishable_key_ok("rk_pub_"));
}

proptest! {
    #[test]
    fn every_rendering_reads_back(id in 0..ID_LIMIT, kind in prop::sample::select(&Kind::ALL[..])) {
        prop_assert_eq!(parse(kind, &render(kind, id)), Some(id));
        prop_assert_eq!(parse_object_id(&object_id(id)), Some(id));
        prop_assert_eq!(parse_lead_code(&lead_code(id)), Some(id));
        prop_assert_eq!((render(kind, id).len(), object_id(id).len()), (kind.prefix().len() + 14, 24));
    }

    #[test]
    fn short_lead_codes_read_back(id in 0_i64..1 << 40) {
        let code = lead_code(id);
        prop_assert!(code.len() == 10 && code.starts_with('L'));
        prop_assert_eq!(parse_lead_code(&code), Some(id));
    }

    #[test]
    fn a_lead_code_notices_every_wrong_character_and_swap(id in 0..ID_LIMIT, at in 1_usize..10, to in 1_usize..10, other in 0_usize..32) {
        let code = lead_code(id).into_bytes();
        let mut wrong = code.clone();
        wrong[at] = BASE32[other].to_ascii_uppercase();
        let mut swapped = code.clone();
        swapped.swap(at, to);
        for text in [wrong, swapped] {
            if text != code {
                prop_assert_eq!(parse_lead_code(&String::from_utf8(text).unwrap()), None);
            }
        }
    }

    #[test]
    fn mixers_are_bijections(value: u64, bits in prop::sample::select(vec![40_u32, 55, 64]), salt in "[a-z]{0,8}") {
        let mixer = Mixer::new(bits, &salt);
        let value = value & (u64::MAX >> (64 - bits));
        let mixed = mixer.mix(value);
        prop_assert!(mixed <= u64::MAX >> (64 - bits));
        prop_assert_eq!(mixer.unmix(mixed), value);
    }

    #[test]
    fn nothing_panics(text in "\\PC{0,30}|(lead_|L|rk_live_)[0-9a-zA-Zé]{0,40}") {
        if let Some(id) = parse(Kind::Lead, &text) {
            prop_assert_eq!(render(Kind::Lead, id), text.clone());
        }
        if let Some(id) = parse_object_id(&text) {
            prop_assert_eq!(object_id(id), text.clone());
        }
        let _ = (parse_lead_code(&text), api_key_checksum_ok(&text));
    }
}
