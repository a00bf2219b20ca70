//! The ready text: the words in which a referrer is told their link and code. A campaign has one, with places that
//! are filled in for each person.

use crate::text;

/// The places of a text, with what is filled in.
pub const PLACES: [(&str, &str); 8] = [
    ("first_name", "Jane"),
    ("name", "Jane Njeri"),
    ("link", "their own link"),
    ("code", "their own code"),
    ("business", "your business"),
    ("campaign", "this campaign"),
    ("reward", "what the referrer earns"),
    ("offer", "what the customer gets"),
];

/// The text of a campaign that has none of its own.
const USUAL: &str = "Hi {first_name},

you can recommend {business} to others now, and it counts for you.

Your link to share: {link}
Your code, to say or to type: {code}

Each new customer who uses your link or your code is counted as your referral.

Thank you
{business}";

/// The largest text: an e-mail link carries no more in every mail program.
pub const MOST: usize = 1_000;

/// A text that names a link or a code, and only places that can be filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadyText(String);

/// The values of one person.
#[derive(Debug, Clone, Copy)]
pub struct Person<'p> {
    pub name: &'p str,
    pub link: &'p str,
    pub code: &'p str,
    pub business: &'p str,
    pub campaign: &'p str,
    /// What the campaign pays a referrer; empty for nothing.
    pub reward: &'p str,
    /// What customers get; empty for nothing.
    pub offer: &'p str,
}

impl Person<'_> {
    fn value(&self, place: &str) -> Option<&str> {
        Some(match place {
            "first_name" => self.name.split_whitespace().next().unwrap_or_default(),
            "name" => self.name,
            "link" => self.link,
            "code" => self.code,
            "business" => self.business,
            "campaign" => self.campaign,
            "reward" => self.reward,
            "offer" => self.offer,
            _ => return None,
        })
    }
}

impl ReadyText {
    /// From the database, where an empty one stands for the usual one.
    pub fn of(stored: &str) -> Self {
        Self(if stored.is_empty() { USUAL } else { stored }.to_owned())
    }

    /// Reads a text as it is typed; an empty one is the usual one.
    ///
    /// # Errors
    /// A sentence that continues the field's name.
    pub fn parse(raw: &str) -> Result<Self, String> {
        let text = text::clean(raw, MOST).map_err(|why| why.to_string())?;
        if text.is_empty() {
            return Ok(Self::of(""));
        }
        let places: Vec<String> = pieces(&text).filter_map(|(_, place)| place).map(named).collect();
        if let Some(unknown) = places.iter().find(|place| PLACES.iter().all(|(known, _)| known != place)) {
            let known = PLACES.map(|(known, _)| format!("{{{known}}}")).join(", ");
            return Err(format!("has {{{unknown}}}, which cannot be filled in. The places are {known}"));
        }
        if !places.iter().any(|place| place == "link" || place == "code") {
            return Err("names neither {link} nor {code}, so it would tell nobody how to refer".to_owned());
        }
        Ok(Self(text))
    }

    pub fn text(&self) -> &str {
        &self.0
    }

    /// Empty for the usual one, so that a better usual one reaches those who never changed theirs.
    pub fn stored(&self) -> &str {
        if self.0 == USUAL { "" } else { &self.0 }
    }

    /// True when the text has this place.
    pub fn names(&self, place: &str) -> bool {
        pieces(&self.0).any(|(_, found)| found.is_some_and(|found| named(found) == place))
    }

    /// The text for one person. What stands in a name is never taken for a place.
    pub fn for_person(&self, person: &Person<'_>) -> String {
        pieces(&self.0).fold(String::new(), |mut out, (before, place)| {
            out.push_str(before);
            out.push_str(place.map_or("", |place| person.value(&named(place)).unwrap_or_default()));
            out
        })
    }
}

/// A place as it is meant: `{ Name }` is `{name}`.
fn named(place: &str) -> String {
    place.trim().to_lowercase().replace([' ', '-'], "_")
}

/// The pieces of a text, each with the place behind it.
fn pieces(text: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let now = rest?;
        let place = now.split_once('{').and_then(|(before, behind)| Some((before, behind.split_once('}')?)));
        Some(match place {
            Some((before, (place, behind))) => {
                rest = Some(behind);
                (before, Some(place))
            }
            None => {
                rest = None;
                (now, None)
            }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const JANE: Person<'_> = Person {
        name: "Jane {code} Njeri",
        link: "https://x.test/r/A",
        code: "A",
        business: "Acme",
        campaign: "Refer a friend",
        reward: "20 % of the first payment",
        offer: "10 % off",
    };

    #[test]
    fn every_place_is_filled_in_once() {
        let text = ReadyText::parse(" Hi {First name}, {name}: {LINK} { code } {business}/{campaign} {").unwrap();
        let said = text.for_person(&JANE);
        assert_eq!(said, "Hi Jane, Jane {code} Njeri: https://x.test/r/A A Acme/Refer a friend {");
        let text = ReadyText::parse("{code}: {reward} for you, {Offer} for them").unwrap();
        assert_eq!(text.for_person(&JANE), "A: 20 % of the first payment for you, 10 % off for them");
        assert!(text.names("reward") && text.names("offer") && !text.names("link"));
        assert!(ReadyText::of("").for_person(&JANE).starts_with("Hi Jane,\n\nyou can recommend Acme"));
        assert!(PLACES.iter().all(|(place, _)| JANE.value(place).is_some()));
    }

    #[test]
    fn a_text_that_tells_nothing_is_refused() {
        for (text, part) in [
            ("Hi {name}", "names neither {link} nor {code}"),
            ("{link} {firstname}", "has {firstname}, which cannot be filled in"),
            ("{{link}}", "has {{link}"),
            ("{link}\u{1b}", "control characters"),
        ] {
            let why = ReadyText::parse(text).unwrap_err();
            assert!(why.contains(part), "{text:?}: {why}");
        }
        assert!(ReadyText::parse(&format!("{{code}}{}", "x".repeat(MOST))).is_err());
    }

    #[test]
    fn the_usual_text_is_stored_as_none() {
        assert_eq!(ReadyText::parse(" ").unwrap().stored(), "");
        assert_eq!(ReadyText::parse(&USUAL.replace('\n', "\r\n")).unwrap().stored(), "");
        assert_eq!(ReadyText::of("{code}").stored(), "{code}");
    }
}
