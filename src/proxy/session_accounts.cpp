// What a session keeps account of: whose the connection is, how long a request may take, the numbers and the
// access log.
#include "proxy/session.hpp"

namespace agentdb9::proxy {
namespace {

std::int64_t to_microseconds(std::chrono::nanoseconds duration) {
    return duration.count() < 0 ? -1
                                : std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
}

}  // namespace

std::optional<LimitHit> Session::count_connection(const ToApplication& to) {
    // Visitors without a sign-in are nobody in particular: their addresses count alone.
    const bool known = to.principal && (!to.visitor || to.visitor->signed_in);
    if (worker_.access()) {
        exchange_.port = to.port;
        if (known) exchange_.user = to.principal->user.view();
        if (to.route) exchange_.workspace = to.route->workspace.view();
    }
    if (!client_.trusted_peer) {
        if (!known || counted_user_ == to.principal->user) return std::nullopt;
        if (auto limit = count_user(to.principal->user, shares_.user)) return limit;
        counted_user_ = to.principal->user;
        return std::nullopt;
    }
    if (to.upgrade.empty()) return std::nullopt;
    auto key = connection_key(client_.address);
    // Without a word about whom it speaks for it speaks for itself.
    if (key && !worker_.trusted().trusts(client_.address)) {
        auto taken = worker_.shared().by_address.take(*key, worker_.limits().connections_per_address);
        if (!taken) return LimitHit::kAddressConnections;
        upgraded_shares_.address = std::move(*taken);
    }
    return known ? count_user(to.principal->user, upgraded_shares_.user) : std::nullopt;
}

std::optional<LimitHit> Session::count_user(const base::UserId& user, ConnectionCounts::Share& share) {
    auto taken = worker_.shared().by_user.take(connection_key(user), worker_.limits().connections_per_user);
    if (!taken) return LimitHit::kUserConnections;
    share = std::move(*taken);
    return std::nullopt;
}

Task<bool> Session::refuse_for(LimitHit limit, PrincipalPtr principal) {
    worker_.metrics().hit(limit);
    auto refusal = too_many_connections(limit);
    refusal.principal = std::move(principal);
    head_.keep_alive = false;
    http::BodyReader body(reader_, head_.framing, http::BodyReader::Form::kDecoded);
    co_return co_await refuse(std::move(refusal), &body);
}

Task<bool> Session::refuse_slow_body(http::BodyReader& body, LimitHit limit) {
    // The other is counted when the time is over.
    if (limit == LimitHit::kBody) worker_.metrics().hit(limit);
    Refusal refusal;
    refusal.problem = {
        408, "request_timeout", "The request is refused: its body did not arrive in time.", {}};
    head_.keep_alive = false;
    co_return co_await refuse(std::move(refusal), &body);
}

bool Session::time_is_over(base::SteadyTime now) {
    if (now < overdue_at_) return false;
    overdue_at_ = http::kNever;
    worker_.metrics().hit(LimitHit::kTotal);
    return true;
}

void Session::on_time(base::SteadyTime now) {
    if (given_) return;
    count_bytes();
    if (conversing_ && now >= conversation_cut_at_) stream_->close();
    if (streaming_ && streaming_to_ && auth::has_ended(*streaming_to_, worker_.wall_clock()))
        cut_off_pieces();
    // A relay sees to its own; the control plane's work has limits of its own.
    if (relaying_ || (!reading_body_ && !streaming_ && exchange_.status == 0)) return;
    if (!time_is_over(now)) return;
    overdue_ = true;
    if (reading_body_)
        stream_->interrupt();
    else if (streaming_)
        streaming_->give_up();
    else
        stream_->close();
}

void Session::begin_exchange(RequestKind kind) {
    exchange_.begin(kind);
    overdue_ = false;
    if (worker_.access()) exchange_.began = std::chrono::steady_clock::now();
}

void Session::finish_exchange() {
    overdue_at_ = http::kNever;
    if (!std::exchange(exchange_.open, false)) return;
    auto& metrics = worker_.metrics();
    ++metrics.requests[static_cast<std::size_t>(exchange_.kind)][status_class(exchange_.status)];
    // What has come of the next request is the next one's.
    auto bytes_in = stream_->bytes_received() - reader_.data().size();
    auto bytes_out = stream_->bytes_sent();
    auto* lane = worker_.access();
    if (lane && lane->wants(exchange_.status)) {
        const bool put = lane->put([&](AccessRecord& record) {
            describe(record);
            record.bytes_in = bytes_in - exchange_.bytes_in_before;
            record.bytes_out = bytes_out - exchange_.bytes_out_before;
            record.took(std::chrono::steady_clock::now() - exchange_.began, worker_.wall_clock());
        });
        ++(put ? metrics.access_lines : metrics.access_dropped);
    }
    exchange_.bytes_in_before = bytes_in;
    exchange_.bytes_out_before = bytes_out;
}

void Session::describe(AccessRecord& record) const {
    record.kind = exchange_.kind;
    record.id = request_id_;
    // Cut here: a record lives on in its queue, and in a tunnel. One more byte tells that there was more.
    record.method = head_.method.substr(0, kLongestText + 1);
    record.path = head_.path().substr(0, kLongestPath + 1);
    record.address = client_.address;
    record.upgrade = head_.upgrade.substr(0, kLongestText + 1);
    record.reason = exchange_.reason;
    record.user = exchange_.user;
    record.workspace = exchange_.workspace;
    record.port = exchange_.port;
    record.status = exchange_.status;
    record.minor_version = head_.minor_version;
    record.aborted = exchange_.aborted || exchange_.status == 0;
    record.connect_us = to_microseconds(exchange_.connect);
    record.first_byte_us = to_microseconds(exchange_.first_byte);
}

Account Session::give_account() {
    ++worker_.metrics().requests[static_cast<std::size_t>(exchange_.kind)][status_class(exchange_.status)];
    exchange_.open = false;
    Account account;
    account.shares = std::move(client_.trusted_peer ? upgraded_shares_ : shares_);
    account.began = exchange_.began;
    account.bytes_in_before = exchange_.bytes_in_before;
    account.bytes_out_before = exchange_.bytes_out_before;
    account.bytes_in_counted = bytes_in_counted_;
    account.bytes_out_counted = bytes_out_counted_;
    if (!worker_.access()) return account;
    account.record = std::make_unique<AccessRecord>();
    describe(*account.record);
    return account;
}

void Session::count_bytes() {
    auto& metrics = worker_.metrics();
    metrics.bytes_from_clients +=
        stream_->bytes_received() - std::exchange(bytes_in_counted_, stream_->bytes_received());
    metrics.bytes_to_clients +=
        stream_->bytes_sent() - std::exchange(bytes_out_counted_, stream_->bytes_sent());
}

}  // namespace agentdb9::proxy
