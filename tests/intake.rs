//! Raw events become events of the engine, or a fault that says what is wrong: without HTTP and without a contract.

use refdesk::clock::Zone;
use refdesk::engine::{Field, NameKind, Names, PaymentName, PaymentRef, Subscription};
use refdesk::intake::{Fault, Intake, RawCancel, RawPayment, RawPaymentRef, RawProduct, RawRefund, RawSignUp, Sender};

use crate::on_both_databases;
use crate::support::{TestApp, day, email, money};

on_both_databases! {
    an_event_is_settled_in_its_product,
    a_fault_names_its_field,
    a_product_is_the_sender_s_or_none,
}

impl TestApp {
    /// The way in for a sender in Kiribati, where tomorrow is today.
    fn intake(&self, test: bool) -> Intake<'_> {
        let sender = Sender {
            business_id: self.business.id,
            business: &self.business.public_id,
            zone: Zone::parse("Pacific/Kiritimati").unwrap(),
            country: "DE",
            test,
        };
        Intake { db: &self.app.db, catalogue: &self.app.catalogue, now: self.app.clock.now(), sender }
    }

    fn product(&self) -> RawProduct {
        RawProduct { business: self.business.public_id.clone(), product: self.business.product_id.clone() }
    }

    fn raw_payment(&self) -> RawPayment {
        RawPayment {
            of: self.product(),
            email: email("amy@example.com"),
            phone: Some("030 901820".into()),
            amount: "1.5e1".into(),
            currency: "USD".into(),
            subscription_status: Subscription::Active,
            date: day("2026-06-14"),
            names: Names::all_decide([PaymentName::new(NameKind::Charge, "ch_1")]),
        }
    }

    fn raw_refund(&self, payment: RawPaymentRef) -> RawRefund {
        RawRefund {
            of: self.product(),
            email: email("amy@example.com"),
            payment,
            amount: None,
            currency: None,
            date: day("2026-06-18"),
            id: Some("re_1".into()),
        }
    }
}

async fn an_event_is_settled_in_its_product(app: TestApp) {
    let (live, test) = (app.intake(false), app.intake(true));
    let payment = live.payment(app.raw_payment()).await.unwrap();
    assert_eq!(payment.of, app.shop().product_scope());
    assert_eq!((payment.amount, payment.phone.unwrap().e164()), (money("15.00"), "+4930901820"));
    let other = test.payment(app.raw_payment()).await.unwrap();
    assert!(other.of.scope.test && other.body_hash != payment.body_hash);
    let refund = live.refund(app.raw_refund(RawPaymentRef::Id("ch_1".into()))).await.unwrap();
    let PaymentRef::Names(names) = refund.payment else { panic!("{:?}", refund.payment) };
    assert!(names.contains(&PaymentName::new(NameKind::Charge, "ch_1")));
    assert_eq!(refund.identity.as_deref(), Some("event:re_1"));
    let cancel = RawCancel { of: app.product(), email: email("amy@example.com"), date: day("2026-06-18"), id: None };
    let cancel = live.cancel(cancel).await.unwrap();
    assert!(cancel.identity.starts_with("date:") && cancel.identity.ends_with("|amy@example.com|2026-06-18"));
}

/// The field of a fault, and its reason.
fn field(fault: Fault) -> (Field, String) {
    match fault {
        Fault::Field { field, why } => (field, why),
        other => panic!("{other:?}"),
    }
}

async fn a_fault_names_its_field(app: TestApp) {
    let intake = app.intake(false);
    let payment = async |change: fn(&mut RawPayment)| {
        let mut raw = app.raw_payment();
        change(&mut raw);
        field(intake.payment(raw).await.unwrap_err())
    };
    assert_eq!(payment(|raw| raw.currency = "XXX".into()).await.0, Field::Currency);
    assert_eq!(payment(|raw| raw.amount = "0.001".into()).await.0, Field::Amount);
    assert_eq!(payment(|raw| raw.phone = Some("12".into())).await.0, Field::Phone);
    let tomorrow = app.intake(false).sender.zone.day_of(app.app.clock.now()).plus_days(1);
    let mut raw = app.raw_payment();
    raw.date = tomorrow;
    assert!(intake.payment(raw.clone()).await.is_ok(), "it is tomorrow further east");
    raw.date = tomorrow.plus_days(1);
    let (of, why) = field(intake.payment(raw).await.unwrap_err());
    assert!(of == Field::Day && why.starts_with("is in the future"), "{why}");
    let mut refund = app.raw_refund(RawPaymentRef::Day(tomorrow.plus_days(1)));
    refund.date = tomorrow.plus_days(1);
    assert_eq!(field(intake.refund(refund.clone()).await.unwrap_err()).0, Field::PaymentDay);
    refund.payment = RawPaymentRef::Day(tomorrow);
    assert_eq!(field(intake.refund(refund.clone()).await.unwrap_err()).0, Field::Day);
    refund.amount = Some("0".into());
    assert_eq!(field(intake.refund(refund).await.unwrap_err()).0, Field::Amount);
    let impossible = intake.refund(app.raw_refund(RawPaymentRef::Commission("comm_1".into()))).await;
    assert!(matches!(impossible, Err(Fault::UnknownCommission)), "{impossible:?}");
}

async fn a_product_is_the_sender_s_or_none(app: TestApp) {
    let other = app.another_business("Globex").await;
    let sign_up = async |business: &str, product: &str| {
        let of = RawProduct { business: business.to_owned(), product: product.to_owned() };
        let name = "Amy".to_owned();
        let raw = RawSignUp { of, email: email("amy@example.com"), name, phone: None, code: None };
        app.intake(false).sign_up(raw).await
    };
    let ours = &app.business;
    assert!(sign_up(&ours.public_id, &ours.product_id).await.is_ok());
    let unknown = sign_up("business_x", &ours.product_id).await;
    assert!(matches!(unknown, Err(Fault::UnknownBusiness)), "{unknown:?}");
    let theirs = sign_up(&other.public_id, &other.product_id).await;
    assert!(matches!(theirs, Err(Fault::OtherBusiness)), "{theirs:?}");
    let product = sign_up(&ours.public_id, &other.product_id).await;
    assert!(matches!(product, Err(Fault::UnknownProduct)), "{product:?}");
}
