//! The rows of many stories, read with a few statements and taken apart by story.

use std::collections::HashMap;

use refdesk::clock::Day;
use refdesk::row;

use super::picture::{Picture, Row};
use super::story::CURRENCIES;
use crate::support::{Referrer, TestApp};

row! {
    struct Paid {
        id: i64,
        name: String,
        amount: i64,
        refunded: i64,
        disputed: bool,
    }
}

row! {
    struct Commission {
        id: i64,
        lead_id: i64,
        payment_id: Option<i64>,
        referrer_id: i64,
        kind: String,
        base_amount: i64,
        amount: i64,
        taken_back: i64,
        state: String,
        void_cause: String,
        in_line: bool,
        reversed: bool,
        hold_until: String,
    }
}

row! {
    struct Sum {
        referrer_id: i64,
        currency: String,
        account: String,
        amount: i64,
    }
}

row! {
    struct Line {
        referrer_id: i64,
        state: String,
    }
}

pub struct Found {
    leads: Vec<(i64, String)>,
    payments: Vec<Paid>,
    commissions: Vec<Commission>,
    sums: Vec<Sum>,
    lines: Vec<Line>,
}

/// The ids by which steps name rows.
#[derive(Default)]
pub struct Ids {
    pub leads: HashMap<String, i64>,
    pub payments: HashMap<String, i64>,
    /// By lead and payment: the one that stands, else the latest.
    pub commissions: HashMap<(i64, Option<i64>), i64>,
}

/// The rows that one story is told by: leads and payments with their numbers in it.
pub struct Told<'s> {
    pub referrers: &'s [Referrer],
    pub leads: Vec<(i64, usize)>,
    pub payments: Vec<(i64, usize)>,
}

const WORDS: [&str; 20] = [
    "",
    "referral",
    "recurring",
    "reward",
    "pending",
    "approved",
    "paid",
    "void",
    "refunded",
    "re-attributed",
    "unqualified",
    "staff",
    "held",
    "due",
    "paying",
    "in",
    "locked",
    "failed",
    "returned",
    "self-referral",
];

fn known(word: &str) -> &'static str {
    WORDS.into_iter().find(|known| *known == word).unwrap_or_else(|| panic!("{word:?} is no word of a story"))
}

impl Found {
    pub async fn read(app: &TestApp, ours: &str) -> Self {
        let payments = format!(
            "SELECT p.id, n.name, p.amount, p.refunded, p.disputed_at IS NOT NULL AS disputed
               FROM payments p JOIN payment_names n ON n.payment_id = p.id WHERE p.{ours}"
        );
        let commissions = format!(
            "SELECT id, lead_id, payment_id, referrer_id, kind, base_amount, amount, taken_back, state,
                    COALESCE(void_cause, '') AS void_cause, line_id IS NOT NULL AS in_line,
                    reversed_at IS NOT NULL AS reversed, hold_until
               FROM commissions WHERE {ours} ORDER BY id"
        );
        let sums = format!(
            "SELECT referrer_id, currency, account, CAST(sum(amount) AS BIGINT) AS amount FROM ledger_entries
              WHERE {ours} GROUP BY referrer_id, currency, account"
        );
        let lines = format!("SELECT referrer_id, state FROM payout_lines WHERE {ours} AND state <> 'out' ORDER BY id");
        Self {
            leads: app.rows(&format!("SELECT id, email_key FROM leads WHERE {ours}")).await,
            payments: app.rows(&payments).await,
            commissions: app.rows(&commissions).await,
            sums: app.rows(&sums).await,
            lines: app.rows(&lines).await,
        }
    }

    pub fn ids(&self) -> Ids {
        let mut named: Vec<&Commission> = self.commissions.iter().collect();
        named.sort_by_key(|c| (c.state != "void", c.id));
        Ids {
            leads: self.leads.iter().map(|(id, address)| (address.clone(), *id)).collect(),
            payments: self.payments.iter().map(|p| (p.name.clone(), p.id)).collect(),
            commissions: named.into_iter().map(|c| ((c.lead_id, c.payment_id), c.id)).collect(),
        }
    }

    /// A picture of each story, in their order.
    pub fn pictures(&self, start: Day, told: &[Told<'_>]) -> Vec<Picture> {
        let (mut referrers, mut people, mut numbers) = (HashMap::new(), HashMap::new(), HashMap::new());
        for (story, told) in told.iter().enumerate() {
            referrers.extend(told.referrers.iter().enumerate().map(|(place, r)| (r.id, (story, place))));
            people.extend(told.leads.iter().copied());
            numbers.extend(told.payments.iter().map(|(id, n)| (*id, (story, *n))));
        }
        let mut pictures: Vec<Picture> = told.iter().map(|_| Picture::default()).collect();
        for p in &self.payments {
            let (story, n) = numbers[&p.id];
            pictures[story].payments.push((n, p.amount.into(), p.refunded.into(), p.disputed));
        }
        for c in &self.commissions {
            let (story, referrer) = referrers[&c.referrer_id];
            pictures[story].rows.push(Row {
                who: people[&c.lead_id],
                payment: c.payment_id.map(|id| numbers[&id].1),
                referrer,
                kind: known(&c.kind),
                base: c.base_amount.into(),
                amount: c.amount.into(),
                taken_back: c.taken_back.into(),
                state: known(&c.state),
                void_cause: known(&c.void_cause),
                in_line: c.in_line,
                reversed: c.reversed,
                held_until: start.days_until(Day::parse(&c.hold_until).expect("a day")),
            });
        }
        for sum in self.sums.iter().filter(|sum| sum.amount != 0) {
            let (story, referrer) = referrers[&sum.referrer_id];
            let currency = CURRENCIES.iter().position(|code| *code == sum.currency).expect("a currency of stories");
            pictures[story].balances.insert((referrer, currency, known(&sum.account)), sum.amount.into());
        }
        for line in &self.lines {
            let (story, referrer) = referrers[&line.referrer_id];
            pictures[story].lines.push((referrer, known(&line.state)));
        }
        for picture in &mut pictures {
            picture.payments.sort_unstable();
            picture.rows.sort();
            picture.lines.sort_by_key(|(referrer, _)| *referrer);
        }
        pictures
    }
}
