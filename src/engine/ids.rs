//! A type per kind of id: what is a lead's cannot be taken for a payment's.

crate::ids! {
    BusinessId,
    CampaignId,
    CodeId,
    CommissionId,
    EnrollmentId,
    InboxItemId,
    LeadId,
    PaymentId,
    ProductId,
    ReferrerId,
    RefundId,
    TermsId,
    TouchId,
    UserId,
}
