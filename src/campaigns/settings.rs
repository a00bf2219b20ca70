//! The settings of a campaign, as values that cannot be wrong.

use serde_json::{Value as Json, json};

use super::{Campaign, CustomerReward};
use crate::amounts::Amounts;
use crate::money::Money;

/// The event by which a referral counts. Staff, uploads and the API may qualify a lead as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QualifyOn {
    Hand,
    SignUp,
    Payment,
}

impl QualifyOn {
    pub const ALL: [Self; 3] = [Self::Payment, Self::SignUp, Self::Hand];

    pub fn word(self) -> &'static str {
        match self {
            Self::Hand => "hand",
            Self::SignUp => "sign_up",
            Self::Payment => "payment",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.word() == word)
    }

    /// As a form offers it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Hand => "Only by hand: the switch on a lead, an upload or the API",
            Self::SignUp => "When the lead signs up",
            Self::Payment => "At the first payment",
        }
    }
}

/// The target of a link: an absolute address on the web, or none yet.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Destination(String);

impl Destination {
    /// Reads an http or https address of at most 2,000 characters.
    ///
    /// # Errors
    /// A sentence that continues the field's name.
    pub fn parse(raw: &str) -> Result<Self, &'static str> {
        let text = raw.trim();
        if text.is_empty() {
            return Ok(Self::default());
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err("must start with https:// or http://");
        };
        if !scheme.eq_ignore_ascii_case("https") && !scheme.eq_ignore_ascii_case("http") {
            return Err("must start with https:// or http://");
        }
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let plain = text.len() <= 2_000 && text.bytes().all(|b| b.is_ascii_graphic() && !b"\\\"<>^`{|}".contains(&b));
        if plain && is_host(host) {
            Ok(Self(text.to_owned()))
        } else {
            Err("must be an address such as https://example.com/welcome")
        }
    }

    pub fn text(&self) -> &str {
        &self.0
    }
}

/// A host with or without a port. A name before an @ is refused: it is how an address is made to look
/// like another one.
fn is_host(text: &str) -> bool {
    let (name, port) = match text.rsplit_once(':') {
        // The last colon of [::1] is no port's.
        Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
        _ => (text, None),
    };
    let inner = name.strip_prefix('[').and_then(|n| n.strip_suffix(']'));
    let fine = match inner {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            let good = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
            name.bytes().all(good) && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        }
    };
    fine && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|n| n > 0))
}

/// As at Refairn.
pub const LINK_DAYS: i64 = 90;
/// No browser keeps a cookie longer.
pub const LINK_DAYS_MOST: i64 = 400;

/// Ten years.
pub const QUALIFY_DAYS_MOST: i64 = 3650;

/// Everything of a campaign but its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    pub name: String,
    pub qualify_on: QualifyOn,
    /// The least first payment that qualifies; empty for any.
    pub least: Amounts,
    /// Days after the lead in which that payment has to come: 0 for any time, at most [`QUALIFY_DAYS_MOST`].
    pub qualify_days: i64,
    /// The reward for a qualification; empty for none.
    pub reward: Amounts,
    /// Days that both rewards wait.
    pub reward_hold_days: i64,
    /// The customer's reward for it.
    pub customer_reward: CustomerReward,
    pub destination: Destination,
    /// Days for which a customer's browser keeps the code of a link: 1 to [`LINK_DAYS_MOST`].
    pub link_days: i64,
    /// A line for customers: what they get; empty for none.
    pub offer: String,
}

impl Settings {
    pub fn of(c: &Campaign) -> Self {
        Self {
            name: c.name.clone(),
            qualify_on: QualifyOn::parse(&c.qualify_on).unwrap_or(QualifyOn::Hand),
            least: Amounts::from_json(&c.qualify_least),
            qualify_days: c.qualify_days,
            reward: Amounts::from_json(&c.reward),
            reward_hold_days: c.reward_hold_days,
            customer_reward: CustomerReward::stored(
                &c.customer_reward_kind,
                &c.customer_reward,
                &c.customer_reward_text,
            ),
            destination: Destination(c.destination.clone()),
            link_days: c.link_days,
            offer: c.offer.clone(),
        }
    }

    /// When a referral counts, as a sentence.
    pub fn rule(&self) -> String {
        match self.qualify_on {
            QualifyOn::Hand => "By hand, an upload or the API.".to_owned(),
            QualifyOn::SignUp => "When the lead signs up.".to_owned(),
            QualifyOn::Payment => {
                let least =
                    if self.least.is_empty() { String::new() } else { format!(" of at least {}", self.least.shown()) };
                let within = if self.qualify_days > 0 {
                    format!(" within {} of the lead", days(self.qualify_days))
                } else {
                    String::new()
                };
                format!("At the first payment{least}{within}.")
            }
        }
    }

    /// The reward for a qualification, as a sentence.
    pub fn reward_sentence(&self) -> String {
        match self.reward.iter().next().filter(|money| money.minor > 0) {
            None => "Nothing. Only payments earn.".to_owned(),
            Some(reward) => format!("{} per qualified lead, held {}.", reward.shown(), days(self.reward_hold_days)),
        }
    }

    /// For the audit.
    pub(super) fn json(&self) -> Json {
        json!({
            "name": self.name,
            "qualifies": self.rule(),
            "reward": self.reward.shown(),
            "reward_hold_days": self.reward_hold_days,
            "customer_reward": self.customer_reward.shown(),
            "destination": self.destination.text(),
            "link_days": self.link_days,
            "offer": self.offer,
        })
    }
}

/// A reward as stored: no entry for none.
pub fn reward(money: Option<Money>) -> Amounts {
    money.filter(|m| m.minor > 0).map(Amounts::of).unwrap_or_default()
}

/// "1 day", "14 days".
pub fn days(n: i64) -> String {
    if n == 1 { "1 day".to_owned() } else { format!("{n} days") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_is_a_web_address() {
        for good in [
            "https://example.com",
            " http://localhost:3000/a?b=c#d ",
            "HTTPS://example.com/%C3%A9",
            "http://[::1]:80/a",
            "",
        ] {
            assert_eq!(Destination::parse(good).map(|d| d.0), Ok(good.trim().to_owned()));
        }
        for bad in [
            "javascript:alert(1)",
            "ftp://example.com",
            "//example.com",
            "example.com",
            "https://",
            "https:///path",
            "https://user:pass@example.com",
            "https://a b.com",
            "https://example.com/\u{e9}",
            "https://example.com\\@evil.example",
            "data:text/html,x",
            "https://exa<mple.com",
            "https://example.com:99999",
            "https://[::1",
            "https://.example.com",
        ] {
            assert!(Destination::parse(bad).is_err(), "{bad:?}");
        }
    }
}
