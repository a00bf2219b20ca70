//! A believable business in a throw-away database: a hundred days of referrals, sent to the engine day by day
//! as they would have happened.

mod cast;

use std::sync::Arc;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

use crate::actor::{Actor, ActorKind};
use crate::adjustments::{self, NewAdjustment};
use crate::app::App;
use crate::business::{self, Created, NewBusiness, Owner};
use crate::campaigns::{self, CustomerReward};
use crate::clock::{Clock, Instant, Zone};
use crate::config::Config;
use crate::customer_rewards::{self, Act, Wish};
use crate::db::{Db, DbError, DbResult};
use crate::email::Email;
use crate::engine::payout::LineEvent;
use crate::engine::{
    AddLead, By, CancelSubscription, Claim, ClaimBy, Contact, Event, Names, Payment, PaymentName, PaymentRef,
    ProductScope, Refund, Scope, SignUp, SourceOrigin, Status, Subscription, TouchKind, What,
};
use crate::leads::fields::{LeadFact, LeadFacts};
use crate::links::{self, LinkPath};
use crate::money::{Currency, Money, Rate, Unpriced};
use crate::payout_details::{self, Method};
use crate::payouts::{self, LineFilter, NewPayout, Refused, Settle};
use crate::referrers::{self, AddReferrer, Added};

/// The first day of the story.
const DAYS: i64 = 100;

/// The business to look at, and how to sign in to it.
#[derive(Debug, Clone)]
pub struct Demo {
    pub email: &'static str,
    pub password: String,
}

struct Story {
    app: App,
    business_id: i64,
    campaign_id: i64,
    product: ProductScope,
    actor: Arc<Actor>,
    staff: Arc<Actor>,
    user_id: i64,
    currency: Currency,
    rng: StdRng,
    codes: Vec<String>,
    /// The customers who pay again, and the day of the story.
    renewals: Vec<(i64, String, i64)>,
    people: usize,
}

/// Fills an empty, migrated database.
pub async fn fill(db: Db, config: Config, now: Instant) -> DbResult<Demo> {
    let clock = Clock::fixed(now.plus_days(-DAYS));
    let app = App::new(db, clock.clone(), config);
    let password = crate::id::new_token(&mut rand::rng()).chars().take(16).collect::<String>();
    let demo = Demo { email: "demo@example.com", password };
    let mut story = Story::begin(app, &demo).await?;
    for day in 0..=DAYS {
        clock.set(now.plus_days(day - DAYS));
        story.live(day).await?;
        if day < DAYS {
            story.pay(day).await?;
        }
    }
    story.loose_ends().await?;
    story.pay(DAYS).await?;
    crate::sweep::all(&story.app).await?;
    Ok(demo)
}

fn refused(why: Refused) -> DbError {
    broken(why.sentence())
}

fn broken(why: impl std::fmt::Display) -> DbError {
    DbError::Fault(why.to_string())
}

/// The words of the business for its customers.
async fn offer(app: &App, staff: &Arc<Actor>, business_id: i64, campaign_id: i64) -> DbResult<()> {
    let found = campaigns::find(&mut app.db.read().await?, business_id, campaign_id).await?;
    let campaign = found.ok_or_else(|| broken("no campaign"))?;
    let settings = campaigns::Settings {
        offer: "Your first bag of coffee is free.".into(),
        customer_reward: CustomerReward::Voucher("A free bag of coffee with FREEBAG".into()),
        ..campaigns::Settings::of(&campaign)
    };
    campaigns::change(app, staff, business_id, campaign_id, settings, None).await?;
    Ok(())
}

impl Story {
    async fn begin(app: App, demo: &Demo) -> DbResult<Self> {
        let currency = Currency::parse("USD").map_err(broken)?;
        let hash = app.passwords.hash(demo.password.clone()).await.ok_or_else(|| broken("no password hash"))?;
        let rate = |text| Rate::parse(text).map_err(broken);
        let new = NewBusiness {
            name: "Harbour Coffee".into(),
            zone: Zone::parse("Europe/London").map_err(broken)?,
            currency,
            country: "GB".into(),
            owner: Owner {
                email: Email::parse(demo.email).map_err(broken)?,
                name: "Morgan Hale".into(),
                password_hash: hash,
            },
            campaign: "Bring a friend".into(),
            product: "Coffee subscription".into(),
            referral_rate: rate("20")?,
            recurring_rate: rate("5")?,
            hold_days: 14,
            only_first: true,
        };
        let Created::Made { business_id, campaign_id, product_id, user_id, .. } = business::create(&app, new).await?
        else {
            return Err(broken("the demo wants an empty database"));
        };
        let product = app.catalogue.product(business_id, &product_id).await?.ok_or_else(|| broken("no product"))?;
        let actor =
            Actor { kind: ActorKind::Key, id: None, name: "First key".into(), origin: "checkout".into(), call: None };
        let staff = Actor {
            kind: ActorKind::User,
            id: Some(user_id),
            name: "Morgan Hale".into(),
            origin: "demo".into(),
            call: None,
        };
        let staff = Arc::new(staff);
        offer(&app, &staff, business_id, campaign_id).await?;
        Ok(Self {
            app,
            business_id,
            campaign_id,
            product: ProductScope::new(product.id, campaign_id, false),
            actor: Arc::new(actor),
            staff,
            user_id,
            currency,
            rng: StdRng::seed_from_u64(20_260_614),
            codes: Vec::new(),
            renewals: Vec::new(),
            people: 0,
        })
    }

    fn event(&self, what: impl Into<What>) -> Event {
        let what = what.into();
        let by_staff = matches!(&what, What::AddLead(_) | What::Qualify(_) | What::SetStatus(_));
        let actor = if by_staff { &self.staff } else { &self.actor };
        Event::new(By::new(self.business_id, actor), what)
    }

    fn person(&mut self) -> DbResult<(String, Email)> {
        self.people += 1;
        let (name, email) = cast::person(self.people);
        Email::parse(&email).map(|email| (name, email)).map_err(broken)
    }

    /// What is due is paid now and then: the first payout is closed with a line that failed, the second is locked, and
    /// a draft waits.
    async fn pay(&self, day: i64) -> DbResult<()> {
        let method = match DAYS - day {
            45 => Method::Bank,
            20 => Method::Paypal,
            0 => Method::Wise,
            _ => return Ok(()),
        };
        let (app, staff, business_id) = (&self.app, &self.staff, self.business_id);
        crate::sweep::all(app).await?;
        if day < DAYS {
            self.give_rewards().await?;
        }
        let new = NewPayout { business_id, campaign_id: None, currency: self.currency, method, format: None };
        let id = payouts::create(app, staff, new).await?.map_err(refused)?;
        let Some(draft) = payouts::find(&mut app.db.read().await?, business_id, id).await? else { return Ok(()) };
        if day == DAYS || draft.lines == 0 {
            return Ok(());
        }
        payouts::lock(app, staff, business_id, id, draft.fingerprint, Some(self.user_id)).await?.map_err(refused)?;
        if day == DAYS - 45 {
            let lines = payouts::lines(&mut app.db.read().await?, id, LineFilter::In, 0, 1).await?;
            let reason = Some("The bank knows no account with this number.".to_owned());
            let fail = |line_id| Settle {
                line_id,
                event: LineEvent::Fail,
                reason: reason.clone(),
                reference: None,
                day: None,
            };
            let failed = lines.iter().map(|line| fail(line.id)).collect();
            payouts::settle(app, staff, business_id, id, failed).await?.map_err(refused)?;
            payouts::pay_all(app, staff, business_id, id, None).await?.map_err(refused)?;
            payouts::close(app, staff, business_id, id).await?.map_err(refused)?;
        }
        Ok(())
    }

    /// Customers were given everything that was due by now, but for the newest.
    async fn give_rewards(&self) -> DbResult<()> {
        let today = Zone::parse("Europe/London").map_err(broken)?.day_of(self.app.clock.now());
        let mut conn = self.app.db.read().await?;
        let mut ids = customer_rewards::ready(&mut conn, self.campaign_id, false, today, 500).await?;
        drop(conn);
        ids.truncate(ids.len().saturating_sub(3));
        let act = Act::Give { early: None };
        customer_rewards::decide(&self.app, &self.staff, Wish { business_id: self.business_id, ids, act, today })
            .await?;
        Ok(())
    }

    async fn live(&mut self, day: i64) -> DbResult<()> {
        if day % 3 == 0 && self.codes.len() < cast::REFERRERS.len() {
            self.add_referrer(self.codes.len()).await?;
        }
        let mut events = Vec::new();
        let busy = 1 + day / 30 + i64::from(day % 7 < 5);
        for _ in 0..self.rng.random_range(0..=busy) {
            self.arrival(day, &mut events)?;
        }
        let date = self.app.clock.now();
        let today = Zone::default().day_of(date);
        let due: Vec<(String, i64)> =
            self.renewals.iter().filter(|(on, ..)| *on == day).map(|(_, e, a)| (e.clone(), *a)).collect();
        for (email, amount) in due {
            let email = Email::parse(&email).map_err(broken)?;
            events.push(self.event(self.payment(email, amount, today, &format!("{day}"))));
        }
        self.app.engine.slice(events).await?;
        self.clicks(day).await
    }

    /// Some follow a link, and more as time goes on; few of them become leads.
    async fn clicks(&mut self, day: i64) -> DbResult<()> {
        let now = self.app.clock.now();
        for (n, code) in (0..).zip(&self.codes).filter(|(n, code)| !code.is_empty() && (day * 7 + n * 5) % 11 < 3) {
            let path = LinkPath { campaign_id: None, code: code.clone() };
            let followed = links::follow(&mut self.app.db.read().await?, now, &path, None).await?;
            if let Some(click) = followed.click {
                self.app.clicks.count_many(&click, 1 + (day + n) % 3);
            }
        }
        self.app.clicks.flush(&self.app.db).await
    }

    fn payment(&self, email: Email, amount: i64, date: crate::clock::Day, salt: &str) -> Payment {
        let body_hash = crate::id::sha256_hex(&format!("{}|{amount}|{date}|{salt}", email.key()));
        Payment {
            of: self.product,
            email,
            phone: None,
            amount: Money { minor: amount, currency: self.currency },
            subscription_status: Subscription::Active,
            date,
            names: Names::default(),
            body_hash,
        }
    }

    async fn add_referrer(&mut self, n: usize) -> DbResult<()> {
        let (name, company) = cast::REFERRERS[n];
        let email = format!("{}@example.org", name.to_lowercase().replace([' ', '\''], "."));
        let new = AddReferrer {
            business_id: self.business_id,
            campaign_id: self.campaign_id,
            name: name.into(),
            email: Some(Email::parse(&email).map_err(broken)?),
            phone: None,
            company: (!company.is_empty()).then(|| company.into()),
            marks: crate::meta::Marks::default(),
            generate: n % 6 != 5,
        };
        let code = match referrers::add(&self.app, &self.staff, new).await? {
            Added::New { referrer_id, code, .. } | Added::Known { referrer_id, code, .. } => {
                self.pay_by(n, referrer_id, name, &email).await?;
                self.thank(n, referrer_id).await?;
                code
            }
            Added::ExternalIdTaken { .. } => None,
        };
        // Referrers without a code still count, so that the cast continues in order.
        self.codes.push(code.unwrap_or_default());
        Ok(())
    }

    async fn pay_by(&self, n: usize, referrer_id: i64, name: &str, email: &str) -> DbResult<()> {
        let Some((method, field, text)) = cast::paid(n, email) else { return Ok(()) };
        let value = |asked: &str| match asked {
            "account_holder" => name,
            asked if asked == field => text.as_str(),
            _ => "",
        };
        let details = payout_details::read(method, &value, "GB").map_err(|wrong| broken(format!("{wrong:?}")))?;
        payout_details::set(&self.app, &self.staff, self.business_id, referrer_id, &details).await?;
        Ok(())
    }

    /// Some get a bonus beside what they earn.
    async fn thank(&self, n: usize, referrer_id: i64) -> DbResult<()> {
        let (minor, reason) = match n {
            5 => (2_500, "Poured coffee at the harbour fair."),
            14 => (-500, "The welcome gift was sent twice."),
            _ => return Ok(()),
        };
        let new = NewAdjustment {
            business_id: self.business_id,
            campaign_id: self.campaign_id,
            referrer_id,
            money: Money { minor, currency: self.currency },
            reason: reason.into(),
            person: self.user_id,
        };
        adjustments::add(&self.app, &self.staff, new).await?.map_err(|why| broken(why.sentence()))?;
        Ok(())
    }

    fn a_code(&mut self) -> Option<String> {
        let with: Vec<&String> = self.codes.iter().filter(|c| !c.is_empty()).collect();
        // The first ones have been at it longest and bring the most.
        let near = with.len().div_ceil(3).max(1);
        let keen = self.rng.random_bool(0.6);
        let from = if keen { &with[..near.min(with.len())] } else { &with[..] };
        from.choose(&mut self.rng).map(|c| (*c).clone())
    }

    fn arrival(&mut self, day: i64, events: &mut Vec<Event>) -> DbResult<()> {
        let (name, email) = self.person()?;
        let code = self.a_code();
        let roll = self.rng.random_range(0..100);
        if roll < 55 {
            let code = code.filter(|_| roll < 45);
            let sign_up = SignUp { of: self.product, email: email.clone(), name, phone: None, code };
            events.push(self.event(sign_up));
        } else {
            let kind = match roll {
                55..=74 => TouchKind::Verbal,
                75..=89 => TouchKind::Click,
                _ => TouchKind::Import,
            };
            let mut facts = LeadFacts::default().with(LeadFact::Source, "referral");
            facts[LeadFact::Company] = cast::company(self.people).map(str::to_owned);
            let contact = Contact { facts, ..Contact::new(name, Some(&email), None) };
            let add = AddLead {
                scope: Scope::new(self.campaign_id, false),
                contact: Box::new(contact),
                status: if roll % 3 == 0 { Status::Contacted } else { Status::New },
                source_origin: SourceOrigin::Dashboard,
                claim: code.map(|code| Claim { kind, by: ClaimBy::Code(code) }),
                recorded_by: (kind == TouchKind::Verbal).then_some(self.user_id.into()),
                repeats_allowed: false,
                qualify: roll > 94,
            };
            events.push(self.event(add));
        }
        if self.rng.random_bool(0.45) {
            let amount = *[1_900, 3_400, 4_900, 12_000].choose(&mut self.rng).unwrap_or(&1_900);
            let first = day + self.rng.random_range(1..9);
            for month in 0..4 {
                self.renewals.push((first + month * 30, email.text().to_owned(), amount));
            }
        }
        Ok(())
    }

    /// Two who pay again and again: one gets part of it back, and one leaves.
    fn change_of_mind(&mut self, events: &mut Vec<Event>) -> DbResult<()> {
        let today = Zone::default().day_of(self.app.clock.now());
        let paid = |(day, email, _): &&(i64, String, i64)| {
            let others = self.renewals.iter().filter(|(_, other, _)| other == email).count();
            (DAYS - 20..DAYS - 10).contains(day) && others == 4
        };
        let mut some = self.renewals.iter().filter(paid).cloned();
        if let Some((day, email, amount)) = some.next() {
            let refund = Refund {
                of: self.product,
                email: Email::parse(&email).map_err(broken)?,
                payment: PaymentRef::Day(today.plus_days(day - DAYS)),
                amount: Some(Unpriced::of(Money { minor: amount / 2, currency: self.currency })),
                currency: Some(self.currency),
                date: today,
                identity: None,
                body_hash: String::new(),
                reason: None,
            };
            events.push(self.event(refund));
        }
        if let Some((_, email, _)) = some.next() {
            let email = Email::parse(&email).map_err(broken)?;
            let cancel = CancelSubscription {
                of: self.product,
                identity: PaymentName::paid_on(self.product.product_id, email.key(), today).to_string(),
                email,
                date: today,
                body_hash: String::new(),
            };
            events.push(self.event(cancel));
        }
        Ok(())
    }

    /// The items that need a person's decision.
    async fn loose_ends(&mut self) -> DbResult<()> {
        let today = Zone::default().day_of(self.app.clock.now());
        let mut events = Vec::new();
        for typed in ["HARBOR20", "K7M 4XP"] {
            let (name, email) = self.person()?;
            let sign_up = SignUp { of: self.product, email, name, phone: None, code: Some(typed.into()) };
            events.push(self.event(sign_up));
        }
        let (name, email) = self.person()?;
        let sign_up = SignUp { of: self.product, email: email.clone(), name, phone: None, code: None };
        events.push(self.event(sign_up.clone()));
        let late = SignUp { code: self.a_code(), ..sign_up };
        events.push(self.event(late));
        events.push(self.event(self.payment(email.clone(), 3_400, today, "a")));
        events.push(self.event(self.payment(email, 4_900, today, "b")));
        self.change_of_mind(&mut events)?;
        // One at a time, as they would have come.
        for event in events {
            self.app.engine.slice(vec![event]).await?;
        }
        Ok(())
    }
}
