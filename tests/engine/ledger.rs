//! The ledger and the commissions agree after any events in any order.

use std::collections::BTreeMap;

use crate::support::Outcome;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use refdesk::engine::{
    AcceptPayment, Approve, Archive, ClaimBy, NameKind, Names, PayBack, PaymentName, PaymentRef, Qualify, Reattribute,
    SetStatus, Status, Void, What,
};

use crate::on_both_databases;
use crate::support::{Referrer, Shop, TestApp};

on_both_databases! {
    any_sequence_of_events_keeps_the_ledger_true,
    the_same_twice_in_one_slice_counts_once,
}

async fn the_same_twice_in_one_slice_counts_once(app: TestApp) {
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    let sign_up = shop.sign_up_event("amy@example.com", Some(&jane.code));
    let payment = shop.payment_event("amy@example.com", "100.00", "2026-06-20");
    let all = vec![payment.clone(), sign_up.clone(), sign_up.clone(), payment.clone(), sign_up, payment];
    let outcomes = shop.send_all(all).await;
    let new: Vec<bool> =
        outcomes.iter().map(|o| matches!(o, Outcome::SignedUp { .. } | Outcome::PaymentRecorded { .. })).collect();
    assert_eq!(new, [true, true, false, false, false, false], "{outcomes:?}");
    assert_eq!(app.number("SELECT CAST(sum(amount) AS BIGINT) FROM ledger_entries").await, 2_000);
}

/// One thing that may happen; people, referrers and days are few, so that events meet.
#[derive(Debug, Clone)]
enum Step {
    SignUp { who: u8, code: Option<u8> },
    Pay { who: u8, cents: u32, day: u8, currency: u8, id: Option<u8> },
    Refund { who: u8, day: u8, cents: Option<u32>, by_id: Option<u8>, own: Option<u8> },
    Cancel { who: u8, day: u8 },
    Walk { who: u8, referrer: Option<u8> },
    Qualify { who: u8, on: bool },
    Status { who: u8, status: u8 },
    Move { who: u8, to: Option<u8>, pay_back: bool },
    PayBack { who: u8 },
    Approve { which: u8, by_staff: bool },
    Void { which: u8 },
    Dispute { which: u8, on: bool },
    AcceptPayment { which: u8 },
    Ban { referrer: u8, state: u8 },
    Wait { hours: u8 },
    Archive { who: u8, on: bool },
}

fn step() -> impl Strategy<Value = Step> {
    let (who, code) = (0..4_u8, prop::option::weighted(0.7, 0..4_u8));
    prop_oneof![
        4 => (who.clone(), code.clone()).prop_map(|(who, code)| Step::SignUp { who, code }),
        8 => (who.clone(), 0..40_000_u32, 1..28_u8, 0..8_u8, prop::option::weighted(0.4, any::<u8>()))
            .prop_map(|(who, cents, day, currency, id)| Step::Pay { who, cents, day, currency, id }),
        6 => (who.clone(), 1..28_u8, prop::option::of(1..40_000_u32), prop::option::weighted(0.4, 0..8_u8), prop::option::of(0..6_u8))
            .prop_map(|(who, day, cents, by_id, own)| Step::Refund { who, day, cents, by_id, own }),
        1 => (who.clone(), 1..28_u8).prop_map(|(who, day)| Step::Cancel { who, day }),
        2 => (who.clone(), code.clone()).prop_map(|(who, referrer)| Step::Walk { who, referrer }),
        3 => (who.clone(), any::<bool>()).prop_map(|(who, on)| Step::Qualify { who, on }),
        2 => (who.clone(), 0..5_u8).prop_map(|(who, status)| Step::Status { who, status }),
        3 => (who.clone(), code, any::<bool>()).prop_map(|(who, to, pay_back)| Step::Move { who, to, pay_back }),
        2 => who.clone().prop_map(|who| Step::PayBack { who }),
        3 => (any::<u8>(), any::<bool>()).prop_map(|(which, by_staff)| Step::Approve { which, by_staff }),
        2 => any::<u8>().prop_map(|which| Step::Void { which }),
        4 => (any::<u8>(), any::<bool>()).prop_map(|(which, on)| Step::Dispute { which, on }),
        2 => any::<u8>().prop_map(|which| Step::AcceptPayment { which }),
        1 => (0..3_u8, 0..3_u8).prop_map(|(referrer, state)| Step::Ban { referrer, state }),
        2 => (1..60_u8).prop_map(|hours| Step::Wait { hours }),
        1 => (who, any::<bool>()).prop_map(|(who, on)| Step::Archive { who, on }),
    ]
}

struct World<'a> {
    app: &'a TestApp,
    shop: Shop<'a>,
    case: u64,
    referrers: Vec<Referrer>,
}

impl World<'_> {
    fn address(&self, who: u8) -> String {
        format!("person{who}.case{}@example.com", self.case)
    }

    fn name(&self, who: u8) -> String {
        format!("Person{who} Case{}", self.case)
    }

    /// The names of payment `id % 8` that the rest of the number chooses: those of a sender, of which the first
    /// decides, or those of a provider, which all do.
    fn names(&self, id: u8) -> Names {
        let kinds = NameKind::OF_AN_ID.into_iter().enumerate().filter(|(at, _)| id >> (3 + at) & 1 == 1);
        let names = kinds.map(|(_, kind)| PaymentName::new(kind, format!("{}-{}", self.case, id % 8)));
        if id >> 7 == 1 { Names::all_decide(names) } else { Names::first_decides(names) }
    }

    async fn pick(&self, text: &str, which: u8) -> Option<i64> {
        let found: Vec<(i64,)> = self.app.rows(&text.replace("CASE", &format!("%case{}@%", self.case))).await;
        (!found.is_empty()).then(|| found[usize::from(which) % found.len()].0)
    }

    async fn lead(&self, who: u8) -> Option<i64> {
        let text = format!("SELECT id FROM leads WHERE email_key = '{}' AND duplicate_of IS NULL", self.address(who));
        self.pick(&text, 0).await
    }

    async fn event(&self, step: &Step) -> Option<What> {
        let code = |n: u8| self.referrers.get(usize::from(n)).map_or("UNKNOWN-99".to_owned(), |r| r.code.clone());
        Some(match step {
            Step::SignUp { who, code: n } => self.shop.sign_up_event(&self.address(*who), n.map(code).as_deref()),
            Step::Pay { who, cents, day, currency, id } => {
                let amount = match currency {
                    0 => format!("{cents} JPY"),
                    1 => format!("{}.{:02} EUR", cents / 100, cents % 100),
                    _ => format!("{}.{:02} USD", cents / 100, cents % 100),
                };
                let event = self.shop.payment_event(&self.address(*who), &amount, &format!("2026-05-{day:02}"));
                let What::Payment(mut payment) = event else { unreachable!() };
                payment.names = id.map(|id| self.names(id)).unwrap_or_default();
                What::Payment(payment)
            }
            Step::Refund { who, day, cents, by_id, own } => {
                let of = match by_id {
                    Some(id) => PaymentRef::id(&format!("{}-{}", self.case, id % 8)),
                    None => PaymentRef::Day(crate::support::day(&format!("2026-05-{day:02}"))),
                };
                let amount = cents.map(|cents| format!("{}.{:02}", cents / 100, cents % 100));
                let What::Refund(mut refund) = self.shop.refund_event(&self.address(*who), of, amount.as_deref())
                else {
                    unreachable!()
                };
                refund.identity = own.map(|id| format!("event:{}-{id}", self.case));
                What::Refund(refund)
            }
            Step::Cancel { who, day } => {
                let date = crate::support::day(&format!("2026-05-{day:02}"));
                What::CancelSubscription(self.shop.cancel_event(&self.address(*who), date))
            }
            Step::Walk { who, referrer } => {
                let claim = referrer.map(|n| match self.referrers.get(usize::from(n)) {
                    Some(r) => ClaimBy::Enrollment(r.enrollment_id.into()),
                    None => ClaimBy::Code("UNKNOWN-99".into()),
                });
                let What::AddLead(mut add) = self.shop.lead_event(&self.name(*who), None, claim) else {
                    unreachable!()
                };
                add.contact.email = Some(self.address(*who));
                add.contact.email_key = Some(self.address(*who));
                What::AddLead(add)
            }
            Step::Qualify { who, on } => {
                What::Qualify(Qualify { lead_id: (self.lead(*who).await?).into(), qualified: *on, reason: None })
            }
            Step::Status { who, status } => What::SetStatus(SetStatus {
                lead_id: (self.lead(*who).await?).into(),
                status: Status::ALL[usize::from(*status)],
            }),
            Step::Move { who, to, pay_back } => What::Reattribute(Reattribute {
                lead_id: (self.lead(*who).await?).into(),
                to: to.and_then(|n| self.referrers.get(usize::from(n))).map(|r| r.enrollment_id).map(Into::into),
                code_id: None,
                reason: "a test".into(),
                pay_back: *pay_back,
            }),
            Step::PayBack { who } => What::PayBack(PayBack::of((self.lead(*who).await?).into())),
            Step::Approve { which, by_staff } => What::Approve(Approve {
                commission_id: (self.commission(*which).await?).into(),
                reason: by_staff.then(|| "early".to_owned()),
            }),
            Step::Void { which } => {
                What::Void(Void { commission_id: (self.commission(*which).await?).into(), reason: "a test".into() })
            }
            Step::Dispute { which, on } => {
                let text = "SELECT p.id FROM payments p WHERE p.email_key LIKE 'CASE' ORDER BY p.id";
                self.shop.dispute_event(self.pick(text, *which).await?, *on)
            }
            Step::AcceptPayment { which } => {
                let text = "SELECT i.id FROM inbox_items i JOIN payments p ON p.id = i.payment_id
                    WHERE i.kind = 'second_payment' AND p.email_key LIKE 'CASE' ORDER BY i.id";
                What::AcceptPayment(AcceptPayment { item_id: (self.pick(text, *which).await?).into() })
            }
            Step::Archive { who, on } => {
                What::Archive(Archive { lead_id: (self.lead(*who).await?).into(), archived: *on })
            }
            Step::Ban { .. } | Step::Wait { .. } => return None,
        })
    }

    async fn commission(&self, which: u8) -> Option<i64> {
        let text = "SELECT c.id FROM commissions c JOIN leads l ON l.id = c.lead_id WHERE l.email_key LIKE 'CASE' ORDER BY c.id";
        self.pick(text, which).await
    }

    async fn happen(&self, step: &Step) {
        match step {
            Step::Ban { referrer, state } => {
                let state = ["active", "paused", "banned"][usize::from(*state)];
                let id = self.referrers[usize::from(*referrer)].enrollment_id;
                self.app.arrange(&format!("UPDATE enrollments SET state = '{state}' WHERE id = {id}")).await;
            }
            Step::Wait { hours } => {
                self.app.clock.set(self.app.clock.now().plus_seconds(i64::from(*hours) * 3600));
                refdesk::sweep::all(&self.app.app).await.unwrap();
            }
            step => {
                if let Some(what) = self.event(step).await {
                    self.shop.send(what).await;
                }
            }
        }
    }

    /// Per referrer, currency and account: the entries, and what the states of the commissions come to.
    async fn is_true(&self) -> Result<(), TestCaseError> {
        type Line = (i64, String, String, i64);
        let entries: Vec<Line> = self
            .app
            .rows("SELECT referrer_id, currency, account, CAST(sum(amount) AS BIGINT) FROM ledger_entries GROUP BY referrer_id, currency, account")
            .await;
        let commissions: Vec<Line> = self
            .app
            .rows(
                "SELECT c.referrer_id, c.currency, CASE WHEN c.state = 'pending' OR p.disputed_at IS NOT NULL THEN 'held' ELSE 'due' END,
                        CAST(sum(c.amount) AS BIGINT)
                   FROM commissions c LEFT JOIN payments p ON p.id = c.payment_id
                  WHERE NOT c.test AND c.state <> 'void' GROUP BY 1, 2, 3",
            )
            .await;
        let ledger: BTreeMap<_, _> =
            entries.into_iter().filter(|l| l.3 != 0).map(|(r, c, a, sum)| ((r, c, a), sum)).collect();
        let said: BTreeMap<_, _> =
            commissions.into_iter().filter(|l| l.3 != 0).map(|(r, c, a, sum)| ((r, c, a), sum)).collect();
        prop_assert_eq!(ledger, said);
        Ok(())
    }
}

async fn any_sequence_of_events_keeps_the_ledger_true(app: TestApp) {
    app.arrange("UPDATE campaigns SET reward = '{\"USD\": 1000}', qualify_least = '{\"USD\": 2000}'").await;
    let cases = if crate::support::is_long() { 300 } else { 12 };
    let case = std::cell::Cell::new(0);
    let mut runner =
        TestRunner::new(Config { cases, failure_persistence: None, max_shrink_iters: 60, ..Config::default() });
    let outcome = tokio::task::block_in_place(|| {
        runner.run(&prop::collection::vec(step(), 1..30), |steps| {
            case.set(case.get() + 1);
            tokio::runtime::Handle::current().block_on(async {
                let shop = app.shop();
                let mut referrers = Vec::new();
                for name in ["Ann", "Ben", "Cat"] {
                    referrers.push(shop.referrer(&format!("{name} Case{}", case.get())).await);
                }
                let world = World { app: &app, shop, case: case.get(), referrers };
                for step in &steps {
                    world.happen(step).await;
                    world.is_true().await?;
                }
                let report = refdesk::check::check(&app.app.db).await.unwrap();
                prop_assert!(report.ok, "{:#?}", report.findings);
                Ok(())
            })
        })
    });
    if let Err(why) = outcome {
        panic!("{why}");
    }
}
