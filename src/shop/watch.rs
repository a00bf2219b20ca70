//! The mark by which the script may tell that it runs.

use crate::clock::Instant;
use crate::id;

const DAY: i64 = 24 * 60 * 60;
/// The lines may be pasted by somebody else, on another day.
const DAYS: i64 = 7;
const DIGITS: usize = 20;

/// Lets visits to the pages of one campaign's shop be noted until its end, in seconds since 1970. It is written
/// `END-MARK`; the mark is made of the business's id, which only its own programs know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watch {
    until: i64,
    mark: String,
}

impl Watch {
    fn of(business: &str, campaign_id: i64, until: i64) -> Self {
        let mut mark = id::sha256_hex(&format!("shop/{business}/{campaign_id}/{until}"));
        mark.truncate(DIGITS);
        Self { until, mark }
    }

    /// For the lines that are shown now; they stay the same for a day.
    pub fn from(now: Instant, business: &str, campaign_id: i64) -> Self {
        Self::of(business, campaign_id, (now.seconds().div_euclid(DAY) + 1 + DAYS) * DAY)
    }

    pub fn text(&self) -> String {
        format!("{}-{}", self.until, self.mark)
    }

    /// True while a text is a watch of this campaign.
    pub fn is_one(text: &str, now: Instant, business: &str, campaign_id: i64) -> bool {
        let until = text.split_once('-').and_then(|(until, _)| until.parse().ok());
        until.is_some_and(|until: i64| {
            (now.seconds()..now.seconds() + (DAYS + 1) * DAY + 1).contains(&until)
                && Self::of(business, campaign_id, until).text() == text
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_watch_is_of_one_campaign_and_ends() {
        let now = Instant::parse_rfc3339("2026-06-20T12:00:00Z").unwrap();
        let text = Watch::from(now, "business_a", 7).text();
        assert_eq!(Watch::from(now.plus_seconds(11 * 3600), "business_a", 7).text(), text, "the lines stay for a day");
        let is_one = |text: &str, at: Instant, business: &str, campaign| Watch::is_one(text, at, business, campaign);
        assert!(is_one(&text, now, "business_a", 7) && is_one(&text, now.plus_days(7), "business_a", 7));
        assert!(!is_one(&text, now.plus_days(8), "business_a", 7), "it ends");
        assert!(!is_one(&text, now, "business_b", 7) && !is_one(&text, now, "business_a", 8));
        let (_, mark) = text.split_once('-').unwrap();
        for forged in ["", "-", mark, "1", &text[1..], &format!("{text}0"), &format!("9999999999-{mark}"), "é-é"] {
            assert!(!is_one(forged, now, "business_a", 7), "{forged}");
        }
        let far = Watch::of("business_a", 7, now.plus_days(400).seconds()).text();
        assert!(!is_one(&far, now, "business_a", 7), "no watch lasts longer than the lines say");
    }
}
