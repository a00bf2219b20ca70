//! Pages by number, as Referral Factory's lists have them.

use schemars::JsonSchema;
use serde::Serialize;

use super::ask::{Number, RfPages};
use crate::query::encode;

/// The requested page.
#[derive(Debug, Clone, Copy)]
pub struct Paging {
    pub page: i64,
    pub per_page: i64,
}

impl Paging {
    pub fn of(page: Number, per_page: Number) -> Self {
        Self { page: page.0.unwrap_or(1).max(1), per_page: per_page.0.unwrap_or(25).clamp(1, 250) }
    }

    /// In a search: clients that follow a link send the body again, with the first page in it.
    pub fn of_search(in_address: &RfPages, page: Number, per_page: Number) -> Self {
        Self::of(in_address.page.or(page), in_address.per_page.or(per_page))
    }

    pub fn offset(self) -> i64 {
        (self.page - 1).saturating_mul(self.per_page)
    }
}

/// Addresses of pages.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RfLinks {
    pub first: String,
    pub last: String,
    pub prev: Option<String>,
    pub next: Option<String>,
}

/// The position of the page in the list.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RfPageMeta {
    pub current_page: i64,
    /// The number of its first row; null where it has none.
    pub from: Option<i64>,
    pub last_page: i64,
    pub path: String,
    pub per_page: i64,
    /// The number of its last row.
    pub to: Option<i64>,
    /// Rows of the whole list.
    pub total: i64,
}

/// Links and position of a page with `count` rows of `total`. `filters` go into the links.
pub fn frame(
    paging: Paging,
    total: i64,
    count: usize,
    path: String,
    filters: &[(&str, String)],
) -> (RfLinks, RfPageMeta) {
    let Paging { page, per_page } = paging;
    let last_page = ((total + per_page - 1) / per_page).max(1);
    let filtered: String = filters.iter().map(|(name, value)| format!("&{name}={}", encode(value))).collect();
    let address = |page: i64| format!("{path}?page={page}&per_page={per_page}{filtered}");
    let links = RfLinks {
        first: address(1),
        last: address(last_page),
        prev: (page > 1).then(|| address((page - 1).min(last_page))),
        next: (page < last_page).then(|| address(page + 1)),
    };
    let count = i64::try_from(count).unwrap_or_default();
    let from = (count > 0).then(|| paging.offset() + 1);
    let to = (count > 0).then(|| paging.offset() + count);
    (links, RfPageMeta { current_page: page, from, last_page, path, per_page, to, total })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paged(page: &str, per_page: &str, total: i64, count: usize) -> (RfLinks, RfPageMeta) {
        let number = |text: &str| Number(text.parse().ok());
        frame(Paging::of(number(page), number(per_page)), total, count, "/u".into(), &[("with", "a b".into())])
    }

    #[test]
    fn pages_are_clamped_and_linked() {
        let (links, meta) = paged("2", "10", 25, 10);
        assert_eq!(links.next.as_deref(), Some("/u?page=3&per_page=10&with=a%20b"));
        assert_eq!(links.prev.as_deref(), Some("/u?page=1&per_page=10&with=a%20b"));
        assert_eq!((meta.from, meta.to, meta.last_page), (Some(11), Some(20), 3));
        let (links, meta) = paged("", "9999", 0, 0);
        assert_eq!((meta.per_page, meta.current_page, meta.last_page, meta.from), (250, 1, 1, None));
        assert!(links.next.is_none() && links.prev.is_none());
        let (links, meta) = paged("9223372036854775807", "-5", 3, 0);
        assert_eq!((meta.per_page, meta.last_page, links.next.is_none()), (1, 3, true));
        assert_eq!(links.prev.as_deref(), Some("/u?page=3&per_page=1&with=a%20b"));
        assert_eq!(paged("0", "0", 3, 1).1.current_page, 1);
    }
}
