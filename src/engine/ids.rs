//! A type per kind of id: what is a lead's cannot be taken for a payment's.

crate::ids! {
    AdjustmentId,
    BusinessId,
    CampaignId,
    CodeId,
    CommissionId,
    CustomerRewardId,
    EnrollmentId,
    InboxItemId,
    LeadId,
    LineId,
    PaymentId,
    PayoutId,
    ProductId,
    ReferrerId,
    RefundId,
    TermsId,
    TouchId,
    UserId,
}
