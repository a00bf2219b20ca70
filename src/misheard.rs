//! What a piece of a code may have been before it was misheard or misread: letters that sound or look alike, one
//! or two of them; two swapped; one left out or added.

use std::collections::BTreeSet;

/// Symbols that are heard for each other, by the vowel or the hiss that is left of them on a bad line.
const SOUNDS: [&str; 9] = ["BCDEGPTVZ3", "AHJK8", "MN", "FSX6", "IY59", "QUW2", "LR", "O04", "17"];
/// Symbols that are read for each other.
const LOOKS: [&str; 11] = ["0OQD", "1ILJ7T", "2Z7", "5S", "8B3", "6GC", "UVWY", "3E", "4AH", "MNW", "PRF"];
/// Symbols of generated codes: one of them may have been left out.
const SYMBOLS: &str = "23456789CDFHJKMNPRTVWXY";
/// Texts that are looked for, at most: each costs a look at the index.
const MOST: usize = 600;
/// Longer pieces are found by the part of them that is right.
const LONGEST: usize = 6;

fn alike(c: char, groups: &[&str]) -> BTreeSet<char> {
    let groups = groups.iter().filter(|group| group.contains(c));
    groups.flat_map(|group| group.chars()).filter(|other| *other != c).collect()
}

/// The texts that a piece may stand for, in upper case, likeliest first: without the piece itself.
#[must_use]
pub fn misheard(piece: &str) -> Vec<String> {
    let chars: Vec<char> = piece.to_uppercase().chars().collect();
    if chars.len() < 3 || chars.len() > LONGEST || !chars.iter().all(char::is_ascii_alphanumeric) {
        return Vec::new();
    }
    let both: Vec<&str> = SOUNDS.iter().chain(&LOOKS).copied().collect();
    let mut all: Vec<String> = Vec::new();
    let one: Vec<Vec<char>> = (0..chars.len()).flat_map(|at| replaced(&chars, at, &both)).collect();
    all.extend(one.iter().map(|chars| chars.iter().collect::<String>()));
    all.extend((1..chars.len()).map(|at| {
        let mut swapped = chars.clone();
        swapped.swap(at - 1, at);
        swapped.into_iter().collect()
    }));
    if chars.len() > 3 {
        all.extend((0..chars.len()).map(|at| {
            let mut fewer = chars.clone();
            fewer.remove(at);
            fewer.into_iter().collect()
        }));
    }
    let inside = (1..chars.len()).flat_map(|at| SYMBOLS.chars().map(move |symbol| (at, symbol)));
    all.extend(inside.map(|(at, symbol)| {
        let mut more = chars.clone();
        more.insert(at, symbol);
        more.into_iter().collect()
    }));
    // Two letters of three would leave hardly anything of what was said.
    if chars.len() > 3 {
        let two = (0..chars.len()).flat_map(|a| (a + 1..chars.len()).map(move |b| (a, b)));
        let two = two.flat_map(|(a, b)| {
            replaced(&chars, a, &SOUNDS).into_iter().flat_map(move |one| replaced(&one, b, &SOUNDS))
        });
        all.extend(two.map(|chars| chars.into_iter().collect::<String>()));
    }
    let mut seen = BTreeSet::from([chars.iter().collect::<String>()]);
    all.retain(|text| seen.insert(text.clone()));
    all.truncate(MOST);
    all
}

fn replaced(chars: &[char], at: usize, groups: &[&str]) -> Vec<Vec<char>> {
    let with = |other| {
        let mut changed = chars.to_vec();
        changed[at] = other;
        changed
    };
    alike(chars[at], groups).into_iter().map(with).collect()
}

/// Three parts of a longer form: with up to two wrong symbols, one of them is right.
#[must_use]
pub fn parts(form: &str) -> Vec<String> {
    let chars: Vec<char> = form.chars().collect();
    if chars.len() < 6 {
        return Vec::new();
    }
    let cut = |n: usize| chars.len() * n / 3;
    let part = |n: usize| chars[cut(n)..cut(n + 1)].iter().collect::<String>();
    let mut parts: Vec<String> = (0..3).map(part).filter(|part: &String| part.chars().count() >= 3).collect();
    if chars.len() < 9 {
        // Two halves: with one wrong symbol one of them is right.
        let half = chars.len() / 2;
        parts = vec![chars[..half].iter().collect(), chars[half..].iter().collect()];
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_is_found_by_what_it_sounds_like() {
        let has = |said: &str, meant: &str| misheard(said).iter().any(|text| text == meant);
        for (said, meant) in [
            ("KTB", "KTP"),
            ("ktb", "KTP"),
            ("NTP", "MTP"),
            ("KPT", "KTP"),
            ("KCC22", "KC22"),
            ("K22", "KC22"),
            ("KT5", "KT9"),
            ("HC22", "KC22"),
        ] {
            assert!(has(said, meant), "{said} {meant}");
        }
        assert!(has("TC3T", "PC3D"), "two of them");
        assert!(misheard("KT").is_empty() && misheard("K-T").is_empty());
        assert!(misheard("KTPM4X").len() <= MOST);
    }

    #[test]
    fn one_part_of_a_longer_form_is_right() {
        assert_eq!(parts("K7M4XPD2CW"), ["K7M", "4XP", "D2CW"]);
        assert_eq!(parts("K7M4XP"), ["K7M", "4XP"]);
        assert!(parts("K7M4").is_empty());
    }
}
