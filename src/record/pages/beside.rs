//! Beside the rows of a searched list: searches that may have been meant, each with what differs, and the referrers
//! that the text finds, whose rows the list could show.

use std::collections::BTreeSet;

use crate::db::Listing;
use crate::query::ListQuery;
use crate::record::{Asked, find};
use crate::search::{self, Needle, Scope, Total};
use crate::shell::Page;
use crate::web::Fault;

/// A list with more matches than this offers nothing else.
const FEW: i64 = 8;
/// Referrers that are offered, at most.
const PEOPLE: usize = 3;

/// A search that may have been meant.
#[derive(Debug, Clone)]
pub struct Meant {
    pub text: String,
    pub differs: String,
    pub url: String,
}

/// What else a searched list offers.
#[derive(Debug, Clone, Default)]
pub struct Beside {
    pub meant: Vec<Meant>,
    /// Referrers: name with code, and the address of the list of theirs.
    pub people: Vec<(String, String)>,
}

/// True where the rows of a search leave room for what else may have been meant.
pub fn is_due(query: &ListQuery, total: Option<Total>) -> bool {
    let is_few = matches!(total, None | Some(Total::Exact(0..=FEW) | Total::AtLeast(0..=FEW)));
    !query.get("q").is_empty() && is_few
}

impl Beside {
    /// Searches near to the typed one that find something in the list, whose one column is `text`.
    pub async fn meant(
        page: &Page,
        query: &ListQuery,
        words_of: Scope,
        rows_of: Scope,
        list: impl FnOnce(Needle) -> Listing,
    ) -> Result<Self, Fault> {
        let near = search::near(&mut page.read().await?, &[words_of], query.get("q")).await?;
        let Some(near) = near else { return Ok(Self::default()) };
        let found = search::meant(&page.app.db, list(near.needle.clone()), rows_of, &near).await?;
        let meant = found.into_iter().map(|(text, differs)| Meant { url: query.with("q", &text), text, differs });
        Ok(Self { meant: meant.collect(), people: Vec::new() })
    }

    /// The referrers that the text finds, for a list that is narrowed to one of them.
    pub async fn with_people(mut self, page: &Page, query: &ListQuery) -> Result<Self, Fault> {
        if !query.get("referrer").is_empty() {
            return Ok(self);
        }
        let asked = Asked {
            business_id: page.member.business_id,
            campaign_id: page.campaign.id,
            country: &page.member.country,
            text: query.get("q"),
        };
        let found = find(&page.app.db, asked).await?;
        let narrowed = query.without("q");
        let mut seen = BTreeSet::new();
        let hits = found.hits.into_iter().filter(|hit| seen.insert(hit.person.id)).take(PEOPLE);
        self.people = hits
            .map(|hit| {
                let code: String = hit.code.iter().map(|part| part.text.as_str()).collect();
                let name = format!("{} {code}", hit.person.name).trim().to_owned();
                (name, narrowed.with("referrer", &hit.person.id.to_string()))
            })
            .collect();
        Ok(self)
    }
}
