//! What follows from a payment's outcome: pure, so that it can be decided again wherever it was interrupted.

use crate::answer::Answer;
use crate::config::BillingConfig;
use crate::customer::Customer;
use crate::error::BillingError;
use crate::intent::{Intent, IntentState, Occasion, Purpose};
use crate::invoice::{Invoice, InvoiceState, Line, Payment};
use crate::ledger::{LedgerAccount, moved};
use crate::message;
use crate::names::derived;
use crate::store::{Step, StepInvoice};
use crate::subscription::Subscription;

/// How a payment ended, for certain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settlement {
    /// The money moved, under the provider's reference.
    Succeeded(String),
    /// It did not, for this reason.
    Declined(String),
}

/// Decides what `settlement` of `intent` changes; none where it is known already.
///
/// `invoice` is the one that the intent's purpose names, where it names one. A subscription that
/// begins counts from `now_us`.
pub fn settle(
    mut customer: Customer,
    intent: Intent,
    settlement: &Settlement,
    invoice: Option<Invoice>,
    config: &BillingConfig,
    now_us: i64,
) -> Result<Option<Step>, BillingError> {
    let late = match (&intent.state, settlement) {
        (IntentState::Pending, _) => false,
        // Taken for failed, and yet the money came in.
        (IntentState::Failed { .. }, Settlement::Succeeded(_)) => true,
        _ => return Ok(None),
    };
    if customer.pending.as_ref() == Some(&intent.id) {
        customer.pending = None;
    }
    let mut step = Step::new(customer, now_us);
    let mut intent = intent;
    match settlement {
        Settlement::Declined(reason) => {
            declined(&mut step, &intent, invoice, config, now_us)?;
            step.answer_intent(&intent, Answer::Declined(reason.clone()));
            intent.state = IntentState::Failed { reason: reason.clone() };
        }
        Settlement::Succeeded(reference) => {
            let unwanted = late || step.customer.erased_us.is_some();
            match (&intent.purpose, unwanted) {
                (Purpose::Refund { .. } | Purpose::Return { .. }, _) => given_back(&mut step, &intent, invoice)?,
                (_, true) => send_back(&mut step, &intent, reference, invoice, now_us)?,
                (_, false) => paid(&mut step, &intent, reference, invoice, now_us)?,
            }
            intent.state = IntentState::Succeeded;
        }
    }
    if step.customer.erased_us.is_some() {
        intent.forget_payer();
    }
    step.intents.push(intent);
    Ok(Some(step))
}

fn payment_of(intent: &Intent, reference: &str) -> Payment {
    let provider = intent.method.as_ref().map(|method| method.provider.clone()).unwrap_or_default();
    Payment { provider, reference: reference.to_owned() }
}

fn needed(invoice: Option<Invoice>) -> Result<Invoice, BillingError> {
    invoice.ok_or_else(|| BillingError::Damaged("a payment names an invoice that is not there".to_owned()))
}

/// The money came in for what it was asked for.
fn paid(
    step: &mut Step,
    intent: &Intent,
    reference: &str,
    invoice: Option<Invoice>,
    now_us: i64,
) -> Result<(), BillingError> {
    let payment = payment_of(intent, reference);
    let subscription = match &intent.purpose {
        Purpose::Begin { subscription } => {
            let Subscription { id, terms, territory, .. } = subscription.as_ref().clone();
            let begun = Subscription::paid(id, terms, territory, now_us)?;
            let line = Line::period(&begun.terms, begun.period_start_us, begun.period_end_us);
            issue_paid(step, intent, &[line], payment, now_us)?;
            begun
        }
        Purpose::Upgrade { terms, lines } => {
            issue_paid(step, intent, lines, payment, now_us)?;
            held(step)?.changed(terms.as_ref().clone())
        }
        Purpose::Collect { .. } => {
            let invoice = needed(invoice)?;
            if invoice.state != InvoiceState::Open {
                return send_back(step, intent, reference, Some(invoice), now_us);
            }
            let (invoice, booked) = invoice.paid(payment)?;
            step.invoices.push(StepInvoice::Changed(invoice));
            step.transactions.push(booked);
            held(step)?.settled()
        }
        Purpose::Refund { .. } | Purpose::Return { .. } => return Ok(()),
    };
    step.subscribe(subscription);
    let method = step.customer.method.as_ref();
    if let Some(subscription) = &step.customer.subscription {
        let answer = Answer::done(&message::subscription(&step.customer.account, subscription, method));
        step.answer_intent(intent, answer);
    }
    Ok(())
}

fn held(step: &Step) -> Result<Subscription, BillingError> {
    let held = step.customer.subscription.clone();
    held.ok_or_else(|| BillingError::Damaged(format!("account {} has no subscription", step.customer.account)))
}

fn issue_paid(
    step: &mut Step,
    intent: &Intent,
    lines: &[Line],
    payment: Payment,
    now_us: i64,
) -> Result<(), BillingError> {
    let id = derived(&["invoice", &intent.id]);
    let (invoice, issued) = Invoice::issue(id, &intent.account, lines.to_vec(), now_us)?;
    let (invoice, paid) = invoice.paid(payment)?;
    step.invoices.push(StepInvoice::Issued(invoice));
    step.transactions.extend([issued, paid]);
    Ok(())
}

/// The payment was declined.
fn declined(
    step: &mut Step,
    intent: &Intent,
    invoice: Option<Invoice>,
    config: &BillingConfig,
    now_us: i64,
) -> Result<(), BillingError> {
    let Purpose::Collect { invoice: owed, occasion } = &intent.purpose else { return Ok(()) };
    let over = step.customer.current().is_none();
    if *occasion == Occasion::NewMethod && !over {
        return Ok(());
    }
    let mut give_up = over;
    if let Some(subscription) = step.customer.current() {
        let failed = subscription.failed(owed, config, now_us);
        give_up = failed.is_over();
        step.subscribe(failed);
    }
    if give_up {
        void(step, needed(invoice)?)?;
    }
    Ok(())
}

/// Nothing is owed for `invoice` any more, where something was.
pub(crate) fn void(step: &mut Step, invoice: Invoice) -> Result<(), BillingError> {
    if invoice.state == InvoiceState::Open {
        let (invoice, booked) = invoice.void()?;
        step.invoices.push(StepInvoice::Changed(invoice));
        step.transactions.push(booked);
    }
    Ok(())
}

/// The money came in although nothing is owed for it any more: it is booked, and goes back.
fn send_back(
    step: &mut Step,
    intent: &Intent,
    reference: &str,
    invoice: Option<Invoice>,
    now_us: i64,
) -> Result<(), BillingError> {
    let payment = payment_of(intent, reference);
    tracing::warn!(intent = intent.id, account = %intent.account, "a payment came in that nothing is owed for; it goes back");
    step.transactions.push(moved(
        derived(&["unapplied", &intent.id]),
        "payment that nothing is owed for",
        intent.amount,
        LedgerAccount::Cash(payment.provider.clone()),
        LedgerAccount::Unapplied(intent.account.clone()),
    )?);
    if let (Some(invoice), None) = (invoice, step.customer.current()) {
        void(step, invoice)?;
    }
    let purpose = Purpose::Return { payment };
    let id = derived(&["return", &intent.id]);
    step.intents.push(Intent::pending(id, &intent.account, intent.amount, purpose, now_us));
    step.answer_intent(intent, Answer::Declined("nothing was owed any more; the money goes back".to_owned()));
    Ok(())
}

/// A refund, or a return, took place.
fn given_back(step: &mut Step, intent: &Intent, invoice: Option<Invoice>) -> Result<(), BillingError> {
    match &intent.purpose {
        Purpose::Refund { reason, .. } => {
            let reason = format!("refund: {reason}");
            let (invoice, booked) = needed(invoice)?.refund(intent.amount, &intent.id, &reason)?;
            step.transactions.push(booked);
            step.invoices.push(StepInvoice::Changed(invoice.clone()));
            step.answer_intent(intent, Answer::done(&message::invoice(&invoice)));
        }
        Purpose::Return { payment } => step.transactions.push(moved(
            derived(&["returned", &intent.id]),
            "payment that nothing was owed for, sent back",
            intent.amount,
            LedgerAccount::Unapplied(intent.account.clone()),
            LedgerAccount::Cash(payment.provider.clone()),
        )?),
        _ => {}
    }
    Ok(())
}
