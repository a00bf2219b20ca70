//! The filter of the list of leads, from its address.

use crate::clock::Zone;
use crate::db::Order;
use crate::engine::Status;
use crate::query::{Dates, ListQuery};
use crate::search::{Needle, Scope};

/// The names a list of leads knows in its address.
pub const KNOWN: [&str; 15] = [
    "q",
    "tag",
    "email",
    "status",
    "arrival",
    "qualified",
    "referrer",
    "by",
    "archived",
    "from",
    "to",
    "cols",
    "sort",
    "after",
    "before",
];

/// The orders of the list; the first is the usual one.
const ORDERS: [(&str, Order); 2] =
    [("created", Order::number("created_at", true)), ("name", Order::text("name_fold", false))];

/// Ways of arrival: the stored word, and what people read.
pub const ARRIVALS: [(&str, &str); 5] =
    [("code", "Code"), ("link", "Link"), ("verbal", "Verbal"), ("upload", "Upload"), ("staff", "Staff")];

/// Leads without a referrer, or leads of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    Anybody,
    Nobody,
    Referrer(i64),
}

#[derive(Debug, Clone)]
pub struct Filter {
    pub campaign_id: i64,
    pub test: bool,
    /// Only what this user recorded.
    pub recorded_by: Option<i64>,
    pub status: Option<Status>,
    pub arrival: Option<&'static str>,
    pub qualified: Option<bool>,
    pub by: By,
    pub archived: bool,
    /// Only those whose e-mail address is unknown: payments find no lead without one.
    pub no_email: bool,
    /// The id of a tag.
    pub tag: Option<i64>,
    /// The typed text, and its searched form.
    pub q: String,
    pub needle: Needle,
    pub dates: Dates,
    pub order: Order,
}

impl Filter {
    /// `country` is where phone numbers are dialled from.
    pub fn of(
        query: &ListQuery,
        campaign_id: i64,
        test: bool,
        recorded_by: Option<i64>,
        country: &str,
        zone: Zone,
    ) -> Self {
        Self {
            campaign_id,
            test,
            recorded_by,
            status: Status::parse(query.get("status")),
            arrival: ARRIVALS.iter().map(|(word, _)| *word).find(|word| *word == query.get("arrival")),
            qualified: match query.get("qualified") {
                "yes" => Some(true),
                "no" => Some(false),
                _ => None,
            },
            by: match query.get("referrer") {
                "" => By::Anybody,
                "none" => By::Nobody,
                id => id.parse().map_or(By::Anybody, By::Referrer),
            },
            archived: query.get("archived") == "yes",
            no_email: query.get("email") == "none",
            tag: query.get("tag").parse().ok(),
            q: query.get("q").to_owned(),
            // The list's address has no control characters left.
            needle: Needle::words(query.get("q"), country).unwrap_or_default(),
            dates: query.dates(zone),
            order: Order::asked(query, &ORDERS),
        }
    }

    /// The referrer whose rows are searched.
    pub fn scope(&self) -> Scope {
        Scope::leads(self.campaign_id, self.test)
    }

    pub fn is_by_name(&self) -> bool {
        self.order.column == "name_fold"
    }

    /// The saved view this is, where it is one.
    pub fn view(&self) -> &'static str {
        if self.no_email {
            return "no_email";
        }
        match (self.archived, self.by, self.qualified) {
            (true, ..) => "archived",
            (_, By::Nobody, None) => "unattributed",
            (_, By::Anybody, Some(true)) => "qualified",
            (_, By::Anybody, Some(false)) => "pending",
            _ => "",
        }
    }
}
