#include "store/postgres/postgres_connection.hpp"

#include <poll.h>

#include <cerrno>
#include <charconv>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/utf8.hpp"

namespace agentdb9::store {
namespace {

using base::Error;
using base::ErrorCode;
using std::chrono::steady_clock;

// Types of columns, by PostgreSQL's catalogue numbers (src/include/catalog/pg_type.dat).
constexpr Oid kBool = 16;
constexpr Oid kInt8 = 20;
constexpr Oid kInt2 = 21;
constexpr Oid kInt4 = 23;
constexpr Oid kFloat4 = 700;
constexpr Oid kFloat8 = 701;

template <class T>
Value number(std::string_view text) {
    T value{};
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

Value read_value(const PGresult* result, int row, int column) {
    if (PQgetisnull(result, row, column) != 0) return nullptr;
    const std::string_view text(PQgetvalue(result, row, column),
                                static_cast<std::size_t>(PQgetlength(result, row, column)));
    switch (PQftype(result, column)) {
        case kBool:
            return std::int64_t{text == "t"};
        case kInt2:
        case kInt4:
        case kInt8:
            return number<std::int64_t>(text);
        case kFloat4:
        case kFloat8:
            return number<double>(text);
        default:
            return std::string(text);
    }
}

Result read_result(const PGresult* result) {
    Result read;
    const int columns = PQnfields(result);
    for (int row = 0; row < PQntuples(result); ++row) {
        std::vector<Value> values;
        values.reserve(static_cast<std::size_t>(columns));
        for (int column = 0; column < columns; ++column)
            values.push_back(read_value(result, row, column));
        read.rows.emplace_back(std::move(values));
    }
    const std::string_view affected(PQcmdTuples(const_cast<PGresult*>(result)));
    if (!affected.empty() && columns == 0)
        std::from_chars(affected.data(), affected.data() + affected.size(), read.affected);
    return read;
}

// The texts that stand for the parameters, and libpq's pointers to them; null where the value is.
struct Parameters {
    explicit Parameters(const std::vector<Value>& values) {
        texts.reserve(values.size());
        for (const auto& value : values) {
            if (std::holds_alternative<std::nullptr_t>(value)) {
                texts.emplace_back();
                pointers.push_back(nullptr);
                continue;
            }
            if (const auto* text = std::get_if<std::string>(&value)) {
                texts.push_back(base::as_storable_text(*text));
            } else if (const auto* integer = std::get_if<std::int64_t>(&value)) {
                texts.push_back(std::to_string(*integer));
            } else {
                std::array<char, 32> digits{};
                const auto end =
                    std::to_chars(digits.data(), digits.data() + digits.size(), std::get<double>(value)).ptr;
                texts.emplace_back(digits.data(), end);
            }
            pointers.push_back(texts.back().c_str());
        }
    }
    std::vector<std::string> texts;
    std::vector<const char*> pointers;
};

bool is_outage(std::string_view state) {
    // Connection exceptions, too few resources, operator intervention, system errors; a lock that was waited
    // for too long, a deadlock or a serialization failure: the same may well succeed a moment later.
    for (const std::string_view each : {"08", "53", "57", "58"})
        if (state.starts_with(each)) return true;
    return state == "55P03" || state == "40P01" || state == "40001" || state == "25006";
}

bool ends_connection(std::string_view state) {
    return state.starts_with("08") || state.starts_with("57P") || state == "25006";
}

}  // namespace

PostgresConnection::PostgresConnection(const std::string& url, const PostgresLimits& limits,
                                       std::string server)
    : limits_(limits), server_(std::move(server)) {
    connect(url, limits.connect);
    execute_script("SET TIME ZONE 'UTC'; SET DateStyle = 'ISO'; SET statement_timeout = " +
                   std::to_string(limits.statement.count()) +
                   "; SET lock_timeout = " + std::to_string(limits.lock.count()) +
                   // A server that stalls in the middle of a transaction must not stall the others for ever.
                   "; SET idle_in_transaction_session_timeout = " + std::to_string(limits.statement.count()));
}

void PostgresConnection::connect(const std::string& url, std::chrono::milliseconds limit) {
    const std::array keywords{"dbname", "application_name", "tcp_user_timeout", "keepalives_idle",
                              static_cast<const char*>(nullptr)};
    const std::array values{url.c_str(), "agentdb9", "10000", "30", static_cast<const char*>(nullptr)};
    connection_.reset(PQconnectStartParams(keywords.data(), values.data(), 1));
    if (!connection_) lose("no memory for a connection", "connect");
    if (PQstatus(connection_.get()) == CONNECTION_BAD) lose(PQerrorMessage(connection_.get()), "connect");
    PQsetnonblocking(connection_.get(), 1);
    PQsetNoticeProcessor(
        connection_.get(), [](void*, const char* text) { log::debug("PostgreSQL says", {{"notice", text}}); },
        nullptr);
    const auto deadline = steady_clock::now() + limit;
    // libpq: "PQconnectPoll": the first wait is for writing.
    for (auto state = PGRES_POLLING_WRITING; state != PGRES_POLLING_OK;
         state = PQconnectPoll(connection_.get())) {
        if (state == PGRES_POLLING_FAILED) fail_to_connect();
        wait(state == PGRES_POLLING_WRITING, "connect", deadline);
    }
}

// libpq keeps no SQLSTATE of a connection that failed: its words tell a database that answers and refuses
// from one that does not answer.
void PostgresConnection::fail_to_connect() {
    std::string reason = PQerrorMessage(connection_.get());
    for (const std::string_view refusal : {"authentication failed", "does not exist", "no pg_hba.conf entry",
                                           "no password supplied", "permission denied"}) {
        if (reason.find("FATAL:") == std::string::npos && refusal != "no password supplied") continue;
        if (reason.find(refusal) == std::string::npos) continue;
        broken_ = true;
        throw Error(
            ErrorCode::kUnavailable, "database_unavailable",
            "The database does not let this server in: check the user, the password and the database's "
            "name in AGENTDB9_DATABASE_URL. The log has its words.")
            .with_internal(std::move(reason));
    }
    lose(std::move(reason), "connect");
}

Result PostgresConnection::execute(std::string_view sql, const std::vector<Value>& parameters) {
    if (broken_) lose("the connection is lost", sql);
    const auto deadline = steady_clock::now() + limits_.statement + std::chrono::seconds(2);
    const auto& name = prepared(sql, deadline);
    const Parameters bound(parameters);
    if (PQsendQueryPrepared(connection_.get(), name.c_str(), static_cast<int>(bound.pointers.size()),
                            bound.pointers.data(), nullptr, nullptr, 0) == 0)
        lose(PQerrorMessage(connection_.get()), sql);
    return read_result(finish(sql, deadline).get());
}

const std::string& PostgresConnection::prepared(std::string_view sql, Deadline deadline) {
    std::string text(sql);
    if (const auto found = statements_.find(text); found != statements_.end()) return found->second;
    const auto name = "s" + std::to_string(statements_.size() + 1);
    if (PQsendPrepare(connection_.get(), name.c_str(), text.c_str(), 0, nullptr) == 0)
        lose(PQerrorMessage(connection_.get()), sql);
    finish(sql, deadline);
    return statements_.emplace(std::move(text), name).first->second;
}

void PostgresConnection::execute_script(std::string_view sql) {
    if (broken_) lose("the connection is lost", sql);
    const std::string text(sql);
    if (PQsendQuery(connection_.get(), text.c_str()) == 0) lose(PQerrorMessage(connection_.get()), sql);
    // Migrations of a large database take their time; the server's own limit does not bind them either.
    finish(sql, steady_clock::now() + std::chrono::minutes(30));
}

bool PostgresConnection::has_table(std::string_view name) {
    return !execute(R"(SELECT 1 FROM pg_tables WHERE schemaname = current_schema() AND tablename = $1)",
                    {std::string(name)})
                .rows.empty();
}

bool PostgresConnection::has_column(std::string_view table, std::string_view column) {
    return !execute(R"(SELECT 1 FROM information_schema.columns
                       WHERE table_schema = current_schema() AND table_name = $1 AND column_name = $2)",
                    {std::string(table), std::string(column)})
                .rows.empty();
}

void PostgresConnection::rollback() noexcept {
    if (broken_) return;
    const auto state = PQtransactionStatus(connection_.get());
    if (state == PQTRANS_IDLE) return;
    try {
        if (state == PQTRANS_INTRANS || state == PQTRANS_INERROR) {
            execute_script("ROLLBACK");
            return;
        }
    } catch (const std::exception&) {
        // Below: whatever it was, the connection is of no more use.
    }
    broken_ = true;
}

void PostgresConnection::notify(const std::string& text) {
    execute("SELECT pg_notify('agentdb9', $1)", {server_ + " " + text});
}

base::Time PostgresConnection::now() {
    // Of the statement, not of the transaction's begin: a writer may have waited for its turn.
    const auto rows = execute("SELECT clock_timestamp() AT TIME ZONE 'UTC'").rows;
    if (const auto time = base::parse_time(rows.at(0).text(0))) return *time;
    lose("its clock cannot be read", "now");
}

// Every session of a server's holds the lock together with the others, so that a new one need not wait until
// the database has noticed the old one's end. Who asks wants it alone, for the transaction.
bool PostgresConnection::present(const std::string& server) {
    const auto free = execute("SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0))", {server});
    return !free.rows.at(0).flag(0);
}

void PostgresConnection::take_place() {
    execute_script(
        "SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3; "
        "SET tcp_user_timeout = 10000");
    execute("SELECT pg_advisory_lock_shared(hashtextextended($1, 0))", {server_});
}

void PostgresConnection::listen() {
    execute_script("LISTEN agentdb9");
}

std::vector<std::string> PostgresConnection::notices(std::chrono::milliseconds limit) {
    std::vector<std::string> texts;
    const auto collect = [&] {
        while (PGnotify* notice = PQnotifies(connection_.get())) {
            const std::string_view text(notice->extra);
            if (const auto space = text.find(' '); text.substr(0, space) != server_)
                texts.emplace_back(text.substr(space + 1));
            PQfreemem(notice);
        }
    };
    collect();
    if (!texts.empty()) return texts;
    pollfd descriptor{.fd = PQsocket(connection_.get()), .events = POLLIN, .revents = 0};
    if (::poll(&descriptor, 1, static_cast<int>(limit.count())) <= 0) return texts;
    if (PQconsumeInput(connection_.get()) == 0) lose(PQerrorMessage(connection_.get()), "notices");
    collect();
    return texts;
}

std::string PostgresConnection::server_version() const {
    const char* text = PQparameterStatus(connection_.get(), "server_version");
    std::string version = text == nullptr ? "" : text;
    return version.substr(0, version.find(' '));
}

PostgresConnection::ResultPtr PostgresConnection::finish(std::string_view sql, Deadline deadline) {
    flush(sql, deadline);
    ResultPtr last;
    ResultPtr failed;
    for (;;) {
        while (PQisBusy(connection_.get()) != 0) {
            wait(false, sql, deadline);
            if (PQconsumeInput(connection_.get()) == 0) lose(PQerrorMessage(connection_.get()), sql);
        }
        ResultPtr result(PQgetResult(connection_.get()));
        if (!result) break;
        const auto status = PQresultStatus(result.get());
        const bool good =
            status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY;
        (good ? last : failed) = std::move(result);
    }
    if (failed) fail(failed.get(), sql);
    if (!last) lose(PQerrorMessage(connection_.get()), sql);
    return last;
}

void PostgresConnection::flush(std::string_view sql, Deadline deadline) {
    for (;;) {
        const int left = PQflush(connection_.get());
        if (left == 0) return;
        if (left < 0) lose(PQerrorMessage(connection_.get()), sql);
        // libpq, "PQflush": the server may be waiting for us to read.
        wait(true, sql, deadline);
        if (PQconsumeInput(connection_.get()) == 0) lose(PQerrorMessage(connection_.get()), sql);
    }
}

void PostgresConnection::wait(bool for_writing, std::string_view sql, Deadline deadline) {
    pollfd descriptor{.fd = PQsocket(connection_.get()),
                      .events = static_cast<short>(for_writing ? POLLIN | POLLOUT : POLLIN),
                      .revents = 0};
    for (;;) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(deadline - steady_clock::now());
        if (left.count() <= 0) lose("it did not answer in time", sql);
        const int ready = ::poll(&descriptor, 1, static_cast<int>(left.count()));
        if (ready > 0) return;
        if (ready < 0 && errno != EINTR) lose("poll failed", sql);
    }
}

void PostgresConnection::fail(const PGresult* result, std::string_view sql) {
    const char* code = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const std::string_view state(code == nullptr ? "" : code);
    std::string detail = std::string(PQresultErrorMessage(result)) + " (" + std::string(state) +
                         ") in: " + std::string(sql.substr(0, 200));
    if (state == "23505") {
        throw Error(ErrorCode::kConflict, "duplicate", "There is one like this already.")
            .with_internal(std::move(detail));
    }
    if (ends_connection(state) || PQstatus(connection_.get()) == CONNECTION_BAD) broken_ = true;
    if (is_outage(state) || broken_) {
        throw Error(ErrorCode::kUnavailable, "database_unavailable",
                    "The database does not answer now: try again in a few seconds.")
            .with_internal(std::move(detail));
    }
    throw Error(ErrorCode::kInternal, "database_error", "The database refused a statement of this server.")
        .with_internal(std::move(detail));
}

void PostgresConnection::lose(std::string reason, std::string_view sql) {
    broken_ = true;
    throw Error(ErrorCode::kUnavailable, "database_unavailable",
                "The database does not answer now: try again in a few seconds.")
        .with_internal(std::move(reason) + " in: " + std::string(sql.substr(0, 200)));
}

}  // namespace agentdb9::store
