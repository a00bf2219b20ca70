use proptest::prelude::*;

use super::super::characters::{cut, cut_words, plain};

#[test]
fn text_is_written_as_banks_take_it() {
    for (typed, sent) in [
        ("Jörg Müller", "Joerg Mueller"),
        ("Jo\u{308}rg", "Joerg"),
        ("MÜLLER & SÖHNE", "MUELLER + SOEHNE"),
        ("Öztürk", "Oeztuerk"),
        ("STRAẞE GROß", "STRASSE GROss"),
        ("Zoë Ångström-Łuczak", "Zoe Angstroem-Luczak"),
        ("O’Brien “Bo”", "O'Brien 'Bo'"),
        ("Søren Æbel", "Soren AEbel"),
        ("李伟", "Li Wei"),
        ("Иван Петров", "Ivan Petrov"),
        ("Nguyễn Thị Hồng", "Nguyen Thi Hong"),
        ("a_b@c.de", "a-b(at)c.de"),
        ("//x//y/", "x/y"),
        ("<b>&amp;</b>", "(b)+amp,(/b)"),
        ("12 €, 50%", "12 EUR, 50"),
        ("🙂", ""),
        ("a\u{200b}b\tc\nd", "ab c d"),
    ] {
        assert_eq!(plain(typed), sent, "{typed:?}");
    }
}

#[test]
fn text_is_cut_behind_a_word() {
    assert_eq!(cut_words("pl-12 Acme referral commission", 18), "pl-12 Acme");
    assert_eq!(cut_words("pl-12 Acme referral", 19), "pl-12 Acme referral");
    assert_eq!(cut_words("pl-12 Acme ref rral", 14), "pl-12 Acme ref");
    assert_eq!(cut_words("Acme commission, payout", 20), "Acme commission");
    assert_eq!(cut_words("Donaudampfschifffahrt", 10), "Donaudampf");
    assert_eq!(cut("Jane / Ng", 6), "Jane");
}

proptest! {
    #[test]
    fn text_has_only_characters_that_banks_take(text in any::<String>(), most in 0_usize..80) {
        for sent in [plain(&text), cut(&text, most), cut_words(&text, most)] {
            let fits = |c: char| c.is_ascii_alphanumeric() || "/-?:().,'+ ".contains(c);
            prop_assert!(sent.chars().all(fits), "{sent}");
            prop_assert!(!sent.contains("//") && !sent.contains("  "), "{sent}");
            prop_assert!(!sent.starts_with(['/', ' ']) && !sent.ends_with(['/', ' ']), "{sent}");
            prop_assert_eq!(plain(&sent), sent);
        }
        prop_assert!(cut(&text, most).len() <= most && cut_words(&text, most).len() <= most);
    }
}
