//! Names that differ by a letter or sound alike: keys under which such names meet, and how near two of them are.

use std::collections::BTreeSet;

/// Letters of a name that make its keys.
const PREFIX: usize = 7;
/// Names from this length on may differ by two letters.
const LONG: usize = 6;
/// Letters by which names differ that sound alike, at most.
const STEPS: usize = 4;

/// The sound of a folded word, for names in several languages: consonants that are spoken alike are one letter,
/// vowels count at the beginning only.
#[must_use]
pub fn sound(word: &str) -> String {
    if !word.bytes().all(|b| b.is_ascii_lowercase()) {
        return word.to_owned();
    }
    let mut text = word.to_owned();
    for (begins, with) in BEGINNINGS {
        if let Some(rest) = text.strip_prefix(begins) {
            text = format!("{with}{rest}");
            break;
        }
    }
    for (written, spoken) in SPOKEN {
        text = text.replace(written, spoken);
    }
    let letters: Vec<char> = text.chars().collect();
    let mut out = String::new();
    let mut last = ' ';
    for (at, c) in letters.iter().enumerate() {
        let next = letters.get(at + 1).copied().unwrap_or(' ');
        let spoken = match c {
            'a' | 'e' | 'i' | 'o' | 'u' | 'y' if at == 0 => 'a',
            'a' | 'e' | 'i' | 'o' | 'u' | 'y' => '.',
            'h' if at > 0 => '.',
            'w' if at > 0 => '.',
            'j' if at > 0 && !is_vowel(next) => '.',
            'c' if matches!(next, 'e' | 'i' | 'y') => 's',
            'g' if matches!(next, 'e' | 'i' | 'y') => 'j',
            'c' | 'q' | 'g' => 'k',
            'b' => 'p',
            'd' => 't',
            'v' | 'w' => 'f',
            'z' => 's',
            c => *c,
        };
        if spoken != last && spoken != '.' {
            out.push(spoken);
        }
        last = spoken;
    }
    out
}

fn is_vowel(c: char) -> bool {
    matches!(c, 'a' | 'e' | 'i' | 'o' | 'u' | 'y')
}

const BEGINNINGS: [(&str, &str); 9] = [
    ("kn", "n"),
    ("gn", "n"),
    ("wr", "r"),
    ("ps", "s"),
    ("pf", "f"),
    ("wh", "w"),
    ("mac", "mk"),
    ("mc", "mk"),
    ("x", "s"),
];
const SPOKEN: [(&str, &str); 18] = [
    ("tsch", "S"),
    ("tch", "S"),
    ("sch", "S"),
    ("chr", "kr"),
    ("chl", "kl"),
    ("sh", "S"),
    ("ch", "S"),
    ("ph", "f"),
    ("ght", "t"),
    ("gh", "g"),
    ("ck", "k"),
    ("dt", "t"),
    ("th", "t"),
    ("tz", "s"),
    ("ts", "s"),
    ("mps", "ms"),
    ("mpt", "mt"),
    ("x", "ks"),
];

/// Keys of a folded word: two words that differ by a letter, or by two where they are long, have one in common,
/// and so have two that sound alike.
#[must_use]
pub fn keys(word: &str) -> BTreeSet<String> {
    let prefix: Vec<char> = word.chars().take(PREFIX).collect();
    let deletions = if prefix.len() < LONG { 1 } else { 2 };
    let mut keys = BTreeSet::from([prefix.iter().collect::<String>()]);
    let mut last = vec![prefix];
    for _ in 0..deletions {
        let shorter = |chars: &Vec<char>| {
            let without = |at: usize| chars.iter().enumerate().filter(|(i, _)| *i != at).map(|(_, c)| *c).collect();
            (0..chars.len()).map(without).collect::<Vec<Vec<char>>>()
        };
        last = last.iter().flat_map(shorter).collect();
        last.sort_unstable();
        last.dedup();
        keys.extend(last.iter().map(|chars| chars.iter().collect()));
    }
    keys.insert(format!("~{}", sound(word)));
    keys
}

/// How near two folded words are, less is nearer; `None` when neither their letters nor their sound are alike.
#[must_use]
pub fn nearness(one: &str, other: &str) -> Option<usize> {
    let length = one.chars().count().max(other.chars().count());
    let far = one.chars().count().abs_diff(other.chars().count());
    if far > STEPS || one == other {
        return None;
    }
    let steps = strsim::osa_distance(one, other);
    if steps > STEPS {
        return None;
    }
    let alike = sound(one) == sound(other);
    let by_letter = steps <= if length < LONG { 1 } else { 2 };
    let by_sound = alike && steps <= length.div_ceil(2);
    (by_letter || by_sound).then_some(steps * 2 + usize::from(!alike))
}

/// What differs between a typed text and the one that may have been meant: "P, not B", "h left out".
#[must_use]
pub fn difference(typed: &str, meant: &str) -> String {
    let (typed, meant): (Vec<char>, Vec<char>) = (typed.chars().collect(), meant.chars().collect());
    let before = typed.iter().zip(&meant).take_while(|(a, b)| a == b).count();
    let rest = typed.len().min(meant.len()) - before;
    let after = typed.iter().rev().zip(meant.iter().rev()).take(rest).take_while(|(a, b)| a == b).count();
    let (a, b) = (&typed[before..typed.len() - after], &meant[before..meant.len() - after]);
    let text = |chars: &[char]| chars.iter().collect::<String>();
    match (a, b) {
        ([], []) => String::new(),
        ([], b) => format!("{} left out", text(b)),
        (a, []) => format!("{} too many", text(a)),
        (a, b) if a.len() != b.len() => format!("{}, not {}", text(b), text(a)),
        (a, b) => {
            // Equal letters between two differences are left out.
            let mut runs: Vec<(String, String)> = Vec::new();
            let mut joined = false;
            for (a, b) in a.iter().zip(b) {
                match runs.last_mut() {
                    _ if a == b => joined = false,
                    Some((x, y)) if joined => {
                        x.push(*a);
                        y.push(*b);
                    }
                    _ => {
                        runs.push((a.to_string(), b.to_string()));
                        joined = true;
                    }
                }
            }
            runs.iter().map(|(a, b)| format!("{b}, not {a}")).collect::<Vec<_>>().join("; ")
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fold::fold;

    #[test]
    fn names_that_sound_alike_meet() {
        for (one, other) in [
            ("Rahman", "Raman"),
            ("Meier", "Mayer"),
            ("Maier", "Meyer"),
            ("Lucia", "Luzia"),
            ("Catherine", "Katherine"),
            ("Kathryn", "Catherine"),
            ("Stephen", "Steven"),
            ("Mohammed", "Muhammad"),
            ("Philip", "Filip"),
            ("Sophia", "Sofia"),
            ("Schmidt", "Schmitt"),
            ("Geoffrey", "Jeffrey"),
            ("Thompson", "Tomson"),
            ("Wright", "Right"),
            ("Knight", "Night"),
            ("Shaun", "Shawn"),
            ("Kristina", "Christina"),
            ("Johnson", "Jonson"),
            ("Müller", "Mueller"),
            ("Caitlin", "Kaitlyn"),
            ("Ann", "Anne"),
            ("Jon", "John"),
            ("Miller", "Mlilre"),
            ("Otieno", "Otineo"),
            ("Wanjiku", "Wanjikoo"),
        ] {
            let (one, other) = (fold(one), fold(other));
            assert!(nearness(&one, &other).is_some(), "{one} {} {other} {}", sound(&one), sound(&other));
            assert!(!keys(&one).is_disjoint(&keys(&other)), "{one} {other}");
        }
        for (one, other) in [("Jane", "Peter"), ("Rahman", "Roman Catholic"), ("Miller", "Molina"), ("Ann", "Bob")] {
            assert_eq!(nearness(&fold(one), &fold(other)), None, "{one} {other}");
        }
    }

    #[test]
    fn what_differs_is_named() {
        for (typed, meant, says) in [
            ("raman", "rahman", "h left out"),
            ("rahhman", "rahman", "h too many"),
            ("ktb", "ktp", "p, not b"),
            ("kpt", "ktp", "tp, not pt"),
            ("catherine", "katherine", "k, not c"),
            ("meier", "mayer", "ay, not ei"),
            ("tc3t", "pc3d", "p, not t; d, not t"),
            ("stephen", "steven", "v, not ph"),
            ("same", "same", ""),
        ] {
            assert_eq!(difference(typed, meant), says, "{typed} {meant}");
        }
    }

    proptest! {
        #[test]
        fn what_is_near_by_letter_has_a_key_in_common(word in "[a-z]{3,12}", at in 0_usize..12, kind in 0..4_u8, c in "[a-z]") {
            let mut other: Vec<char> = word.chars().collect();
            let at = at % other.len();
            match kind {
                0 => other[at] = c.chars().next().unwrap(),
                1 => other.insert(at, c.chars().next().unwrap()),
                2 => { other.remove(at); }
                _ => { let next = (at + 1).min(other.len() - 1); other.swap(at, next); }
            }
            let other: String = other.into_iter().collect();
            prop_assert!(!keys(&word).is_disjoint(&keys(&other)), "{} {}", word, other);
            prop_assert!(word == other || nearness(&word, &other).is_some());
            prop_assert_eq!(nearness(&word, &other), nearness(&other, &word));
        }

        #[test]
        fn nothing_panics(one in "\\PC{0,20}", other in "\\PC{0,20}") {
            let _ = (sound(&one), keys(&one), nearness(&one, &other), difference(&one, &other));
        }
    }
}
