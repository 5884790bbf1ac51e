#include "store/sqlite/sqlite_store.hpp"

#include <gmock/gmock.h>

#include "conformance/store_suite.hpp"

namespace agentdb9::store {
namespace {

// A directory that goes with the object.
class Directory {
  public:
    Directory() {
        std::string path = (std::filesystem::temp_directory_path() / "agentdb9-store-XXXXXX").string();
        if (::mkdtemp(path.data()) == nullptr) std::abort();
        path_ = path;
    }
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;
    ~Directory() {
        std::error_code ec;
        std::filesystem::remove_all(path_, ec);
    }
    std::filesystem::path file() const { return path_ / "agentdb9.db"; }

  private:
    std::filesystem::path path_;
};

class FileFixture final : public StoreFixture {
  public:
    std::unique_ptr<Store> open() override {
        return std::make_unique<SqliteStore>(directory_.file(), SqliteOptions{.threads = 2});
    }
    void run_script(const std::string& sql) override {
        SqliteConnection db(directory_.file().string(), SqliteAccess::kCreate, std::chrono::seconds(1));
        db.execute_script(sql);
    }

  private:
    Directory directory_;
};

INSTANTIATE_TEST_SUITE_P(Sqlite, StoreSuite,
                         testing::Values(StoreCase{"file", [] { return std::make_unique<FileFixture>(); }}),
                         case_name);

}  // namespace
}  // namespace agentdb9::store
