//! The databases as the stories see them: what happens goes through the verbs, and what there is comes by statements.

use std::collections::{BTreeMap, HashMap};

use futures::future::join_all;
use refdesk::clock::{Day, Instant};
use refdesk::engine::payout::LineEvent;
use refdesk::engine::{
    Approve, Dispute, DisputedPayment, NameKind, Names, PayBack, Payment, PaymentName, PaymentRef, Qualify,
    Reattribute, Refund, RefundTo, SignUp, Subscription, Void, What,
};
use refdesk::money::{Currency, Money, Rate, Unpriced};
use refdesk::payout_details::Method;
use refdesk::payouts::{self, NewPayout, Refused, Settle};
use refdesk::products::{self, NewTerms};

use super::Round;
use super::look::{Found, Ids, Told};
use super::model::Model;
use super::picture::Picture;
use super::story::{
    CURRENCIES, Counts, Earned, End, PAYMENTS, PEOPLE, Pays, REFERRERS, Step, Terms, currency, paid_on, payer,
};
use crate::support::{Business, Referrer, Shop, TestApp, actor, email};

/// A story that the database tells otherwise than the model.
#[derive(Debug)]
pub struct Failure {
    pub terms: Terms,
    pub steps: Vec<Step>,
    #[expect(dead_code, reason = "read by people, in the message of the failure")]
    found: Picture,
    #[expect(dead_code, reason = "read by people, in the message of the failure")]
    expected: Picture,
}

struct Story {
    number: usize,
    shop: usize,
    referrers: Vec<Referrer>,
    model: Model,
    told: Vec<Step>,
}

/// A business, and its payouts in their order: doomed, and the id while it is not undone.
struct Seller {
    business: Business,
    terms: Terms,
    payouts: Vec<(bool, Option<i64>)>,
}

pub struct World<'a> {
    app: &'a TestApp,
    start: Day,
    sellers: Vec<Seller>,
    stories: Vec<Story>,
    ids: Ids,
    /// A referrer's lines in their order: payout and line.
    lines: HashMap<i64, Vec<(i64, i64)>>,
}

fn money(code: usize) -> Currency {
    Currency::parse(CURRENCIES[code]).expect("a currency")
}

impl Story {
    fn happen(&mut self, step: Step) {
        self.told.push(step);
        self.model.happen(step);
    }

    fn address(&self, who: usize) -> String {
        format!("person{who}.story{}@example.com", self.number)
    }

    fn payment(&self, n: usize) -> PaymentName {
        PaymentName::new(NameKind::Event, format!("s{}p{n}", self.number))
    }
}

impl<'a> World<'a> {
    pub async fn start(app: &'a TestApp, shops: &[Terms], stories: usize) -> Self {
        let start = app.clock.now().date_utc().plus_days(1);
        app.clock.set(Instant::parse_rfc3339(&format!("{start}T12:00:00Z")).expect("an instant"));
        let mut world =
            Self { app, start, sellers: Vec::new(), stories: Vec::new(), ids: Ids::default(), lines: HashMap::new() };
        for (shop, terms) in shops.iter().enumerate() {
            let number = app.number("SELECT count(*) FROM businesses").await;
            let business = app.another_business(&format!("Shop{number}")).await;
            app.shop_of(&business).terms(terms_of(*terms)).await;
            let counts = match terms.counts {
                Counts::ByHand => "hand",
                Counts::AtSignUp => "sign_up",
                Counts::AtPayment => "payment",
            };
            app.arrange(&format!(
                "UPDATE campaigns SET qualify_on = '{counts}', qualify_least = '{{}}', reward = '{{\"USD\": {}}}', reward_hold_days = 14
                  WHERE business_id = {}",
                terms.reward, business.id
            ))
            .await;
            for n in 0..stories {
                let mut referrers = Vec::new();
                for place in 0..REFERRERS {
                    referrers.push(app.shop_of(&business).referrer(&format!("Referrer {number} {n} {place}")).await);
                }
                let number = usize::try_from(number).expect("a number") * 1_000 + n;
                world.stories.push(Story { number, shop, referrers, model: Model::new(*terms), told: Vec::new() });
            }
            world.sellers.push(Seller { business, terms: *terms, payouts: Vec::new() });
        }
        world
    }

    fn shop(&self, shop: usize) -> Shop<'_> {
        self.app.shop_of(&self.sellers[shop].business)
    }

    fn tick(&mut self) {
        self.app.clock.set(self.app.clock.now().plus_seconds(1));
        self.stories.iter_mut().for_each(|story| story.model.tick());
    }

    pub async fn happen(&mut self, round: &Round) -> Result<(), Failure> {
        if let Some(Step::Wait { hours }) = round.pause {
            self.tick();
            self.app.clock.set(self.app.clock.now().plus_seconds(hours * 3_600));
            refdesk::sweep::all(&self.app.app).await.expect("a sweep");
            for story in &mut self.stories {
                story.happen(Step::Wait { hours });
            }
        }
        self.tick();
        for (shop, step) in round.payouts.iter().enumerate() {
            let Some(step) = *step else { continue };
            match step {
                Step::Lock { currency, doomed } => self.lock(shop, money(currency), doomed).await,
                _ => self.undo(shop).await,
            }
            for story in self.stories.iter_mut().filter(|story| story.shop == shop) {
                story.happen(step);
            }
        }
        self.tick();
        self.own(&round.own).await;
        self.look().await
    }

    async fn lock(&mut self, shop: usize, currency: Currency, doomed: bool) {
        let (app, business_id) = (&self.app.app, self.sellers[shop].business.id);
        let new = NewPayout { business_id, campaign_id: None, currency, method: Method::Hand, format: None };
        let id = payouts::create(app, &actor(), new).await.expect("an answer").expect("a draft");
        self.app.run_jobs().await;
        let draft = payouts::find(&mut app.db.read().await.expect("a connection"), business_id, id).await;
        let seen = draft.expect("an answer").expect("the draft").fingerprint;
        let locked = match payouts::lock(app, &actor(), business_id, id, seen, None).await.expect("an answer") {
            Ok(()) => Some(id),
            Err(Refused::Empty) => None,
            Err(why) => panic!("{}", why.sentence()),
        };
        self.app.run_jobs().await;
        if locked.is_none() {
            self.give_up(business_id, id).await;
        }
        self.sellers[shop].payouts.push((doomed, locked));
    }

    async fn give_up(&self, business_id: i64, id: i64) {
        let dropped = payouts::drop_draft(&self.app.app, &actor(), business_id, id).await;
        dropped.expect("an answer").expect("it is dropped");
    }

    async fn undo(&mut self, shop: usize) {
        let business_id = self.sellers[shop].business.id;
        let Some(at) = self.sellers[shop].payouts.iter().position(|(doomed, _)| *doomed) else { return };
        if let (_, Some(id)) = self.sellers[shop].payouts.remove(at) {
            let undone = payouts::unlock(&self.app.app, &actor(), business_id, id, "a test".into()).await;
            undone.expect("an answer").expect("it is undone");
            self.app.run_jobs().await;
            self.give_up(business_id, id).await;
        }
    }

    /// One step of each story, all at once.
    async fn own(&mut self, own: &[Option<(Step, bool)>]) {
        self.lines = self.lines().await;
        let (mut events, mut ends) = (Vec::new(), BTreeMap::<(usize, i64), Vec<Settle>>::new());
        for (story, step) in self.stories.iter().zip(own) {
            let Some((step, twice)) = *step else { continue };
            let times = if twice { 2 } else { 1 };
            if let Step::Settle { line, end } = step {
                let Some((referrer, place)) = story.model.place(line) else { continue };
                let (payout, line_id) = self.lines[&story.referrers[referrer].id][place];
                let (event, reason) = match end {
                    End::Paid => (LineEvent::Pay, None),
                    End::Failed => (LineEvent::Fail, Some("a test".to_owned())),
                    End::Returned => (LineEvent::Return, Some("a test".to_owned())),
                };
                let settle = Settle { line_id, event, reason, reference: None, day: None };
                ends.entry((story.shop, payout)).or_default().extend(vec![settle; times]);
            } else if let Some(what) = self.event(story, step) {
                let shop = self.shop(story.shop);
                events.extend((0..times).map(|_| self.app.app.engine.one_of(shop.event(what.clone()))));
            }
        }
        let ends = ends.into_iter().map(|((shop, payout), all)| {
            let (app, business_id) = (&self.app.app, self.sellers[shop].business.id);
            async move { payouts::settle(app, &actor(), business_id, payout, all).await }
        });
        let (decided, settled) = tokio::join!(join_all(events), join_all(ends));
        decided.into_iter().for_each(|answer| drop(answer.expect("an answer, be it that it is refused")));
        for answer in settled {
            let answer = answer.expect("an answer");
            assert!(answer.is_ok(), "{:?}", answer.err().map(|why| why.sentence()));
        }
        for (story, step) in self.stories.iter_mut().zip(own) {
            if let Some((step, _)) = step {
                story.happen(*step);
            }
        }
    }

    fn event(&self, story: &Story, step: Step) -> Option<What> {
        let of = self.shop(story.shop).product_scope();
        let reason = || "a test".to_owned();
        let address = |who| email(&story.address(who));
        let lead = |who: usize| self.ids.leads.get(&story.address(who)).copied();
        let payment = |n| self.ids.payments.get(&story.payment(n).to_string()).copied();
        let commission = |named| {
            let key = match named {
                Earned::ByPayment(n) => (lead(payer(n))?, Some(payment(n)?)),
                Earned::ByReferral(who) => (lead(who)?, None),
            };
            self.ids.commissions.get(&key).copied()
        };
        Some(match step {
            Step::SignUp { who, code } => {
                let code = code.map(|n| story.referrers[n].code.clone());
                SignUp { of, email: address(who), name: "Amy".into(), phone: None, code }.into()
            }
            Step::Pay { n, amount } => Payment {
                of,
                email: address(payer(n)),
                phone: None,
                amount: Money { minor: amount, currency: money(currency(n)) },
                subscription_status: Subscription::Active,
                date: self.start.plus_days(paid_on(n)),
                names: Names::first_decides([story.payment(n)]),
                body_hash: format!("{amount}"),
            }
            .into(),
            Step::Refund { id, n, amount } => Refund {
                of,
                email: address(payer(n)),
                payment: PaymentRef::Names(vec![story.payment(n)]),
                amount: amount.map(|minor| Unpriced::of(Money { minor, currency: money(currency(n)) })),
                currency: None,
                date: self.start.plus_days(20),
                identity: Some(format!("event:s{}r{id}", story.number)),
                body_hash: format!("{n} {amount:?}"),
                reason: None,
            }
            .into(),
            Step::Sum { n, total, failed } => RefundTo {
                of,
                email: address(payer(n)),
                names: vec![story.payment(n)],
                total: Money { minor: total, currency: money(currency(n)) },
                date: self.start.plus_days(21),
                failed,
                reason: reason(),
            }
            .into(),
            Step::Dispute { n, on } => {
                let payment = DisputedPayment::Id(payment(n)?.into());
                Dispute { payment, disputed: on, reason: reason() }.into()
            }
            Step::Qualify { who, on } => Qualify { lead_id: lead(who)?.into(), qualified: on, reason: None }.into(),
            Step::Move { who, to, pay_back } => {
                let to = to.map(|n| story.referrers[n].enrollment_id.into());
                Reattribute { lead_id: lead(who)?.into(), to, code_id: None, reason: reason(), pay_back }.into()
            }
            Step::PayBack { who } => PayBack::of(lead(who)?.into()).into(),
            Step::Approve(named) => Approve { commission_id: commission(named)?.into(), reason: Some(reason()) }.into(),
            Step::Void(named) => Void { commission_id: commission(named)?.into(), reason: reason() }.into(),
            Step::Wait { .. } | Step::Lock { .. } | Step::Undo | Step::Settle { .. } => return None,
        })
    }

    /// The condition that a row is of one of these businesses.
    fn ours(&self) -> String {
        let ids: Vec<String> = self.sellers.iter().map(|seller| seller.business.id.to_string()).collect();
        format!("business_id IN ({})", ids.join(", "))
    }

    async fn lines(&self) -> HashMap<i64, Vec<(i64, i64)>> {
        let text = format!(
            "SELECT referrer_id, payout_id, id FROM payout_lines WHERE {} AND state <> 'out' ORDER BY id",
            self.ours()
        );
        let mut lines: HashMap<i64, Vec<(i64, i64)>> = HashMap::new();
        for (referrer, payout, line) in self.app.rows::<(i64, i64, i64)>(&text).await {
            lines.entry(referrer).or_default().push((payout, line));
        }
        lines
    }

    /// Compares everything there is with the models.
    async fn look(&mut self) -> Result<(), Failure> {
        let found = Found::read(self.app, &self.ours()).await;
        self.ids = found.ids();
        let told: Vec<Told<'_>> = self.stories.iter().map(|story| self.told(story)).collect();
        let pictures = found.pictures(self.start, &told);
        for (found, story) in pictures.into_iter().zip(&self.stories) {
            let expected = story.model.picture();
            if found != expected {
                let terms = self.sellers[story.shop].terms;
                return Err(Failure { terms, steps: story.told.clone(), found, expected });
            }
        }
        Ok(())
    }

    /// The rows that are a story's.
    fn told<'s>(&'s self, story: &'s Story) -> Told<'s> {
        let lead = |who| Some((*self.ids.leads.get(&story.address(who))?, who));
        let payment = |n| Some((*self.ids.payments.get(&story.payment(n).to_string())?, n));
        Told {
            referrers: &story.referrers,
            leads: (0..PEOPLE).filter_map(lead).collect(),
            payments: (0..PAYMENTS).filter_map(payment).collect(),
        }
    }
}

fn terms_of(terms: Terms) -> NewTerms {
    let (referral, recurring) = match terms.pays {
        Pays::Rates(first, later) => {
            let rate = |units| products::Pays::Percent(Rate::from_units(units).expect("a rate"));
            (rate(first), rate(later))
        }
        Pays::Flat(first, later) => {
            let flat = |cents| products::Pays::Flat(BTreeMap::from([(CURRENCIES[0].to_owned(), cents)]));
            (flat(first), flat(later))
        }
    };
    NewTerms { valid_from: None, referral, recurring, limit: products::Limit::None, hold_days: 14 }
}
