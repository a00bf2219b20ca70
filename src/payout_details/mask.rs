//! Numbers and addresses as they are shown: enough to recognise one, too little to use it.

const HIDDEN: &str = "••••";

/// "DE89 •••• 3000".
pub fn iban(iban: &str) -> String {
    let start: String = iban.chars().take(4).collect();
    format!("{start} {HIDDEN} {}", last(iban, 4))
}

/// The last characters, at most a third of them: "•••• 6789".
pub fn number(number: &str) -> String {
    let shown = (number.chars().count() / 3).min(4);
    if shown == 0 { HIDDEN.to_owned() } else { format!("{HIDDEN} {}", last(number, shown)) }
}

/// "j•••@example.com". The one letter before an @ is hidden as well.
pub fn email(email: &str) -> String {
    let (local, domain) = email.rsplit_once('@').unwrap_or((email, ""));
    let mut letters = local.chars();
    let first = letters.next().filter(|_| letters.next().is_some());
    let first = first.map(String::from).unwrap_or_default();
    format!("{first}•••@{domain}")
}

/// A text of which only its look tells what it is.
pub fn cell(text: &str) -> String {
    match super::iban::iban(text) {
        Ok(number) => iban(&number),
        Err(_) if text.contains('@') => email(text.trim()),
        Err(_) => number(text.trim()),
    }
}

fn last(text: &str, count: usize) -> String {
    let skipped = text.chars().count().saturating_sub(count);
    text.chars().skip(skipped).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_is_shown() {
        assert_eq!(iban("DE89370400440532013000"), "DE89 •••• 3000");
        assert_eq!(number("000123456789"), "•••• 6789");
        assert_eq!(number("12345678"), "•••• 78");
        assert_eq!(number("12"), "••••");
        assert_eq!(email("jane@example.com"), "j•••@example.com");
        assert_eq!(email("j@example.com"), "•••@example.com");
        assert_eq!(email("émile@example.com"), "é•••@example.com");
    }
}
