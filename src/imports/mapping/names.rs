//! Every field's key, label and column names. Names are written as `plain` makes them: lower case, nothing between.

use std::sync::LazyLock;

use super::Field;
use crate::leads::fields::{Plain, TABLE};

pub(super) struct Names {
    pub(super) field: Field,
    pub(super) key: &'static str,
    pub(super) label: &'static str,
    pub(super) exact: &'static [&'static str],
    pub(super) loose: &'static [&'static str],
}

const fn names(
    field: Field,
    key: &'static str,
    label: &'static str,
    exact: &'static [&'static str],
    loose: &'static [&'static str],
) -> Names {
    Names { field, key, label, exact, loose }
}

/// The names of every field.
pub(super) static NAMES: LazyLock<Vec<Names>> = LazyLock::new(|| {
    let fact = |plain: &'static Plain| {
        names(Field::Fact(plain.fact), plain.file, plain.file_label, plain.headers, plain.loose_headers)
    };
    OWN.into_iter().chain(TABLE.iter().map(fact)).collect()
});

/// The names of the fields that are no plain fact of a lead.
#[rustfmt::skip]
const OWN: [Names; 26] = [
    names(Field::Name, "name", "Name",
        &["name", "fullname", "customername", "leadname", "clientname", "contactname", "username",
          "displayname", "customerfullname", "nomcomplet", "nombrecompleto", "nomecompleto", "vollername", "jinakamili"],
        &["customer", "client", "contact", "lead", "nombre", "nome", "naam", "jina", "kunde"]),
    names(Field::FirstName, "first_name", "First name",
        &["firstname", "givenname", "forename", "fname", "first", "customerfirstname", "vorname", "prénom", "prenom", "voornaam",
          "primernombre", "primeironome"],
        &[]),
    names(Field::LastName, "last_name", "Last name",
        &["lastname", "surname", "familyname", "lname", "last", "customerlastname", "nachname", "nomdefamille", "apellido",
          "apellidos", "sobrenome", "cognome", "achternaam"],
        &["nom", "familienname"]),
    names(Field::Email, "email", "E-mail",
        &["email", "emailaddress", "customeremail", "customeremailaddress", "leademail", "clientemail", "contactemail", "useremail",
          "primaryemail", "emailid", "mail", "mailaddress", "emailadresse", "adressemail", "adresseemail", "correo",
          "correoelectrónico", "correoelectronico", "courriel", "baruapepe", "email1value", "email2value", "email3value"],
        &["invitedemail", "referredemail", "friendemail"]),
    names(Field::Phone, "phone", "Phone",
        &["phone", "phonenumber", "phoneno", "telephone", "telephonenumber", "tel", "telno", "mobile", "mobilenumber", "mobileno",
          "mobilephone", "cell", "cellphone", "cellnumber", "customerphone", "customerphonenumber", "contactnumber", "whatsapp",
          "whatsappnumber", "msisdn", "telefon", "telefonnummer", "handy", "téléphone", "teléfono", "telefono", "telefone",
          "celular", "móvil", "movil", "simu", "nambariyasimu", "phone1value", "phone2value", "phone3value"],
        &["number"]),
    names(Field::Code, "code", "Referral code",
        &["code", "referralcode", "refcode", "agentcode", "referrercode", "affiliatecode", "partnercode", "invitecode",
          "invitationcode", "usercode", "leadcode", "refairncode", "referralid", "empfehlungscode", "codedeparrainage",
          "códigodereferido", "codigodereferido", "msimbo"],
        &["couponcode", "coupon", "promocode", "promotioncode", "promotion", "discountcode", "voucher", "vouchercode", "referrer",
          "referredby", "referral", "ref", "token", "codigo", "código"]),
    names(Field::ReferrerEmail, "referrer_email", "Referrer’s e-mail",
        &["referreremail", "referreremailaddress", "referreremailid", "referringuseremail", "referringemail", "agentemail",
          "agentemailaddress", "affiliateemail", "partneremail", "referredbyemail", "referredbyemailaddress", "inviteremail",
          "advocateemail"],
        &[]),
    names(Field::Status, "status", "Status",
        &["status", "leadstatus", "leadstage", "stage", "pipelinestage", "customerstatus", "estado", "statut", "hali"],
        &["paymentstatus", "refundstatus"]),
    names(Field::Amount, "amount", "Amount",
        &["amount", "amountpaid", "paymentamount", "amountreceived", "totalamount", "refundamount", "purchaseamount", "orderamount",
          "saleamount", "totalpaid", "revenue", "betrag", "montant", "importe", "monto", "valor", "importo", "kiasi"],
        &["total", "paid", "price", "value", "subtotal", "ordertotal", "amountrefunded", "grandtotal", "gross", "net"]),
    names(Field::Currency, "currency", "Currency",
        &["currency", "currencycode", "paymentcurrency", "amountcurrency", "währung", "waehrung", "devise", "moneda", "moeda",
          "valuta", "sarafu"],
        &["ccy", "curr"]),
    names(Field::Date, "date", "Date",
        &["date", "paymentdate", "datepaid", "paidat", "paiddate", "dateofpayment", "refunddate", "refundedat", "daterefunded",
          "purchasedate", "orderdate", "transactiondate", "saledate", "zahlungsdatum", "datum", "fecha", "fechadepago", "data",
          "datedepaiement", "tarehe"],
        &["createdat", "created", "createddate", "datecreated", "createdon", "paidon", "invoicedate", "qualifieddate",
          "conversiondate", "signedupat", "signupdate", "timestamp", "day"]),
    names(Field::RenewalDate, "renewal_date", "Renewal date",
        &["renewaldate", "renewsat", "renewson", "renewal", "nextrenewal", "nextrenewaldate", "nextpaymentdate", "nextbillingdate"],
        &["currentperiodend", "expirydate", "expiresat"]),
    names(Field::Plan, "plan", "Plan",
        &["plan", "planname", "subscriptionplan", "pricingplan", "package", "tier", "tarif"],
        &["subscriptiontype", "productplan", "product", "productname"]),
    names(Field::SubscriptionStatus, "subscription_status", "Subscription status",
        &["subscriptionstatus", "substatus", "subscriptionstate", "billingstatus", "membershipstatus"],
        &["subscription"]),
    names(Field::PaymentId, "payment_id", "Payment ID",
        &["paymentid", "paymenteventid", "eventid", "transactionid", "txnid", "transactionreference", "transactionref",
          "paymentreference", "paymentref", "invoiceid", "invoicenumber", "invoiceno", "chargeid", "paymentintentid"],
        &["orderid", "ordernumber", "orderno", "receiptnumber", "receiptno", "invoice", "transaction", "mpesareceipt"]),
    names(Field::RefundId, "refund_id", "Refund ID",
        &["refundid", "refundeventid", "refundreference", "refundref", "refundnumber", "creditnoteid", "creditnotenumber"],
        &["refund", "creditnote"]),
    names(Field::CampaignId, "campaign_id", "Campaign",
        &["campaignid", "campaign", "campaigncode", "campaignname", "referralcampaign"],
        &["program", "programme", "programid", "kampagne"]),
    names(Field::Qualified, "qualified", "Qualified",
        &["qualified", "isqualified", "qualifiedlead", "qualify", "qualification", "qualificationstatus", "qualifiziert"],
        &[]),
    names(Field::ExternalId, "external_id", "External id", &["externalid", "extid"], &[]),
    names(Field::Metadata, "metadata", "Metadata", &["metadata"], &[]),
    names(Field::OwnId, "lead_id", "Lead id", &["leadid"], &[]),
    names(Field::DuplicateOf, "duplicate_of", "Duplicate of", &["duplicateof"], &[]),
    names(Field::Active, "active", "Active", &["active"], &[]),
    names(Field::CreatedAt, "lead_created_at", "Lead created at", &["leadcreatedat"], &[]),
    names(Field::QualifiedAt, "qualified_at", "Qualified at", &["qualifiedat"], &[]),
    names(Field::Ignore, "ignore", "Do not import", &[], &[]),
];
