//! The stamp of a form: whose it is, where it was rendered, and a token of its own.
//!
//! Every form that changes something carries one in a hidden field. A form acts in the business, mode and campaign
//! of its stamp, whatever another tab chose since, and its token lets it act once.

use crate::id;

/// The field that carries it.
pub const FIELD: &str = "stamp";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    pub user: i64,
    pub business: i64,
    pub campaign: i64,
    /// True for test data.
    pub test: bool,
    /// Drawn for one form.
    pub token: String,
}

impl Stamp {
    /// A stamp for a page, without a token: each of the page's forms draws its own by [`Self::text`].
    pub fn of(user: i64, business: i64, campaign: i64, test: bool) -> Self {
        Self { user, business, campaign, test, token: String::new() }
    }

    /// The text for one more form.
    pub fn text(&self) -> String {
        let Self { user, business, campaign, test, .. } = self;
        let mode = if *test { "test" } else { "live" };
        format!("{user}.{business}.{campaign}.{mode}.{}", id::new_token(&mut rand::rng()))
    }

    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let mut next = || parts.next();
        let mut number = || next()?.parse().ok();
        let (user, business, campaign) = (number()?, number()?, number()?);
        let test = match next()? {
            "live" => false,
            "test" => true,
            _ => return None,
        };
        let token = next()?.to_owned();
        let fine =
            (20..=64).contains(&token.len()) && token.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
        (fine && next().is_none()).then_some(Self { user, business, campaign, test, token })
    }
}

#[cfg(test)]
mod tests {
    use super::Stamp;

    #[test]
    fn a_stamp_is_read_as_it_was_written() {
        let page = Stamp::of(7, 3, 5, true);
        let (one, two) = (Stamp::parse(&page.text()).unwrap(), Stamp::parse(&page.text()).unwrap());
        assert_eq!((one.user, one.business, one.campaign, one.test), (7, 3, 5, true));
        assert_ne!(one.token, two.token, "each form has a token of its own");
    }

    #[test]
    fn nothing_else_is_read_as_one() {
        let token = "abcdefghijklmnopqrstuvwxyz";
        for text in ["", "1.2.3.live", "1.2.3.live.short", "1.2.x.live.", "1.2.3.both."] {
            let text = if text.ends_with('.') { format!("{text}{token}") } else { text.to_owned() };
            assert_eq!(Stamp::parse(&text), None, "{text}");
        }
        assert_eq!(Stamp::parse(&format!("1.2.3.live.{token}.x")), None);
        assert_eq!(Stamp::parse(&format!("1.2.3.live.{token}'")), None);
    }
}
