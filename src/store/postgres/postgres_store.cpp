#include "store/postgres/postgres_store.hpp"

#include "base/crypto.hpp"
#include "base/error.hpp"
#include "store/migrate.hpp"
#include "store/postgres/postgres_listener.hpp"

namespace agentdb9::store {
namespace {

// "agentdb9" in ASCII: the lock that writers of one database take turns on.
constexpr std::string_view kTakeTurns = "SELECT pg_advisory_xact_lock(7017280570803617081)";

// Host and database of a connection URL, without user and password.
std::string without_secrets(const std::string& url) {
    char* error = nullptr;
    const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> parsed(
        PQconninfoParse(url.c_str(), &error), &PQconninfoFree);
    if (error != nullptr) PQfreemem(error);
    std::string host;
    std::string database;
    for (auto* option = parsed.get(); option != nullptr && option->keyword != nullptr; ++option) {
        const std::string_view name(option->keyword);
        if (option->val == nullptr) continue;
        if (name == "host") host = option->val;
        if (name == "port") host += std::string(":") + option->val;
        if (name == "dbname") database = option->val;
    }
    return (database.empty() ? "the default database" : database) + " on " +
           (host.empty() ? "the local socket" : host);
}

}  // namespace

class PostgresStore::Lease {
  public:
    explicit Lease(PostgresStore& store) : connection(store.take()), store_(store) {}
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease() { store_.give_back(std::move(connection)); }
    std::unique_ptr<PostgresConnection> connection;

  private:
    PostgresStore& store_;
};

PostgresStore::PostgresStore(std::string url, PostgresOptions options)
    : Store(options.threads), url_(std::move(url)), options_(options), server_name_(base::random_token(9)) {}

PostgresStore::~PostgresStore() {
    join();
}

std::unique_ptr<PostgresConnection> PostgresStore::connect() const {
    return std::make_unique<PostgresConnection>(url_, options_.limits, server_name_);
}

std::unique_ptr<PostgresConnection> PostgresStore::take() {
    {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return out_ < options_.connections; });
        ++out_;
        if (!idle_.empty()) {
            auto connection = std::move(idle_.back());
            idle_.pop_back();
            return connection;
        }
    }
    try {
        auto connection = connect();
        const std::lock_guard lock(mutex_);
        server_version_ = connection->server_version();
        return connection;
    } catch (...) {
        give_back(nullptr);
        throw;
    }
}

void PostgresStore::give_back(std::unique_ptr<PostgresConnection> connection) noexcept {
    {
        const std::lock_guard lock(mutex_);
        --out_;
        if (connection && !connection->broken()) {
            idle_.push_back(std::move(connection));
        } else {
            // Those that were opened before it are most likely lost too.
            idle_.clear();
        }
    }
    changed_.notify_one();
}

// A kept connection may have died since; nothing has been done yet, so a fresh one takes its place once.
void PostgresStore::begin(std::unique_ptr<PostgresConnection>& connection, Mode mode) {
    const auto* statement =
        mode == Mode::kWrite ? "BEGIN" : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
    try {
        connection->execute(statement);
    } catch (const base::Error&) {
        if (!connection->broken()) throw;
        connection = connect();
        connection->execute(statement);
    }
    if (mode == Mode::kWrite) connection->execute(kTakeTurns);
}

void PostgresStore::transact_raw(Mode mode, const std::function<void(Connection&)>& work) {
    Lease lease(*this);
    try {
        begin(lease.connection, mode);
        work(*lease.connection);
        lease.connection->execute("COMMIT");
    } catch (...) {
        lease.connection->rollback();
        throw;
    }
}

void PostgresStore::transact(Mode mode, const std::function<void(Transaction&)>& work) {
    transact_raw(mode, [&work](Connection& db) {
        Transaction transaction(db);
        work(transaction);
    });
}

std::unique_ptr<Store::Subscription> PostgresStore::subscribe(Subscriber subscriber) {
    return std::make_unique<PostgresListener>(url_, options_.limits, server_name_, std::move(subscriber));
}

Migrated PostgresStore::migrate() {
    return apply_migrations(
        [this](const std::function<void(Connection&)>& work) { transact_raw(Mode::kWrite, work); });
}

std::vector<std::string> PostgresStore::pending_migrations() {
    std::vector<std::string> names;
    transact_raw(Mode::kRead, [&names](Connection& db) {
        for (const auto& migration : missing_migrations(db))
            names.push_back(migration.name);
    });
    return names;
}

std::string PostgresStore::describe() const {
    const std::lock_guard lock(mutex_);
    return "PostgreSQL " + (server_version_.empty() ? "" : server_version_ + ", ") + without_secrets(url_);
}

}  // namespace agentdb9::store
