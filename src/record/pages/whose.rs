//! The filter "by whom" of a list: the text is looked up as when a referral is recorded. When it means one
//! person the list shows theirs; else a page offers the possible people.

use std::collections::BTreeSet;

use askama::Template;
use axum::response::{IntoResponse, Redirect, Response};

use crate::query::ListQuery;
use crate::record::{Asked, Found, Hit, find};
use crate::shell::{Frame, Page};
use crate::web::{Fault, html};

#[derive(Template)]
#[template(path = "record/whose.html")]
struct WhosePage {
    frame: Frame,
    path: String,
    /// The name of the list.
    list: &'static str,
    q: String,
    /// The values of the list's address that the form passes on.
    kept: Vec<(String, String)>,
    hits: Vec<Line>,
    near: Vec<Line>,
    more: bool,
}

struct Line {
    hit: Hit,
    url: String,
}

impl Line {
    fn detail(&self) -> &str {
        let person = &self.hit.person;
        person.company.as_deref().or(person.email.as_deref()).unwrap_or_default()
    }
}

/// The answer to `by=…` in the address of a list; `None` without it. `place` is the list's.
pub async fn whose(
    page: &Page,
    query: &ListQuery,
    place: &'static str,
    list: &'static str,
) -> Result<Option<Response>, Fault> {
    let q = query.get("by").to_owned();
    if q.is_empty() {
        return Ok(None);
    }
    let asked = Asked {
        business_id: page.member.business_id,
        campaign_id: page.campaign.id,
        country: &page.member.country,
        text: &q,
    };
    let Found { hits, near, more, .. } = find(&page.app.db, asked).await?;
    let query = query.without("by");
    // A referrer with several codes is one person here.
    let mut seen = BTreeSet::new();
    let mut lines = |found: Vec<Hit>| -> Vec<Line> {
        let found = found.into_iter().filter(|hit| seen.insert(hit.person.id));
        found.map(|hit| Line { url: query.with("referrer", &hit.person.id.to_string()), hit }).collect()
    };
    let (hits, near) = (lines(hits), lines(near));
    if let ([one], false) = (&hits[..], more) {
        return Ok(Some(Redirect::to(&one.url).into_response()));
    }
    let (path, kept) = (query.path().to_owned(), query.rest(&["referrer"]));
    let shown = WhosePage { frame: page.frame(place).await?, path, list, q, kept, hits, near, more };
    html(&shown).map(Some)
}

#[cfg(test)]
mod tests {
    use crate::query::ListQuery;

    #[test]
    fn what_else_was_filtered_stays() {
        let known = ["by", "status", "after", "referrer"];
        let query = ListQuery::new("/leads", Some("by=jane&status=new&after=x&referrer=4"), &known);
        assert_eq!(query.without("by").with("referrer", "9"), "/leads?status=new&referrer=9");
        assert_eq!(query.without("by").rest(&["referrer"]), [("status".to_owned(), "new".to_owned())]);
    }
}
