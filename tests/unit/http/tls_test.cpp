#include "http/tls.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sys/stat.h>

#include "tls_files.hpp"

namespace agentdb9::http {
namespace {

using test::TlsFolder;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string refusal(const TlsFiles& files) {
    const auto loaded = TlsContext::load(files);
    EXPECT_FALSE(loaded);
    return loaded ? std::string() : loaded.error();
}

TEST(TlsContext, IsMadeFromACertificateAndItsKey) {
    TlsFolder folder;
    const auto loaded = TlsContext::load(folder.make("own"));
    ASSERT_TRUE(loaded) << loaded.error();
    EXPECT_THAT((*loaded)->warnings(), IsEmpty());
    EXPECT_THAT((*loaded)->expires_at(), testing::MatchesRegex("20[0-9-]+T[0-9:]+Z"));
}

TEST(TlsContext, TakesAChainOfCertificatesInTheRightOrderOnly) {
    TlsFolder folder;
    folder.make("root", {.name = "A root"});
    auto files = folder.make("own", {.signed_by = "root"});
    const auto own = folder.read("own.pem");
    const auto root = folder.read("root.pem");
    files.certificate = folder.write("chain.pem", own + root);
    EXPECT_TRUE(TlsContext::load(files));
    files.certificate = folder.write("reversed.pem", root + own);
    EXPECT_THAT(refusal(files), AllOf(HasSubstr("reversed.pem"), HasSubstr("wrong order")));
}

TEST(TlsContext, SaysWhichFileIsMissingOrCannotBeRead) {
    TlsFolder folder;
    auto files = folder.make("own");
    EXPECT_THAT(refusal({folder.path("none.pem"), files.key}),
                AllOf(HasSubstr("certificate file"), HasSubstr("none.pem"), HasSubstr("No such file")));
    EXPECT_THAT(refusal({files.certificate, folder.path("none.key")}),
                AllOf(HasSubstr("key file"), HasSubstr("none.key"), HasSubstr("No such file")));
    EXPECT_THAT(refusal({files.certificate, folder.path("")}), HasSubstr("not a regular file"));
    ASSERT_EQ(::mkfifo(folder.path("pipe").c_str(), 0600), 0);
    EXPECT_THAT(refusal({folder.path("pipe"), files.key}), HasSubstr("not a regular file"));
    EXPECT_THAT(refusal({folder.write("empty.pem", ""), files.key}),
                AllOf(HasSubstr("empty.pem"), HasSubstr("is empty")));
}

TEST(TlsContext, SaysWhatIsWrongWithAFile) {
    TlsFolder folder;
    const auto files = folder.make("own");
    const auto other = folder.make("other");
    EXPECT_THAT(refusal({files.certificate, other.key}),
                AllOf(HasSubstr("other.key"), HasSubstr("does not belong to"), HasSubstr("own.pem")));
    EXPECT_THAT(refusal({folder.write("text.pem", "hello\n"), files.key}),
                AllOf(HasSubstr("text.pem"), HasSubstr("no certificate")));
    EXPECT_THAT(refusal({files.key, files.key}), AllOf(HasSubstr("own.key"), HasSubstr("no certificate")));
    EXPECT_THAT(refusal({files.certificate, files.certificate}),
                AllOf(HasSubstr("own.pem"), HasSubstr("no readable private key")));
    auto cut = folder.read("own.pem");
    cut.resize(cut.size() / 2);
    EXPECT_THAT(refusal({folder.write("cut.pem", cut), files.key}),
                AllOf(HasSubstr("cut.pem"), HasSubstr("damaged")));
    EXPECT_THAT(refusal({folder.write("half.pem", folder.read("own.pem") + cut), files.key}),
                AllOf(HasSubstr("half.pem"), HasSubstr("its certificate 2")));
    EXPECT_THAT(refusal({folder.write("large.pem", std::string(2UL << 20, ' ')), files.key}),
                HasSubstr("larger"));
}

TEST(TlsContext, AKeyWithAPassphraseIsRefusedWithoutAsking) {
    TlsFolder folder;
    const auto files = folder.make("own");
    auto* key = EVP_EC_gen("P-256");
    const auto path = folder.write("locked.key", "");
    auto* file = std::fopen(path.c_str(), "w");
    char secret[] = "secret";
    PEM_write_PrivateKey(file, key, EVP_aes_128_cbc(), reinterpret_cast<unsigned char*>(secret), 6, nullptr,
                         nullptr);
    std::fclose(file);
    EVP_PKEY_free(key);
    EXPECT_THAT(refusal({files.certificate, path}), AllOf(HasSubstr("locked.key"), HasSubstr("passphrase")));
}

TEST(TlsContext, WarnsOfACertificateOutOfItsTimeAndOfAKeyThatAllMayRead) {
    TlsFolder folder;
    using std::chrono::hours;
    const auto expired = TlsContext::load(folder.make("old", {.begins = hours(-48), .ends = hours(-1)}));
    ASSERT_TRUE(expired);
    EXPECT_THAT((*expired)->warnings(), ElementsAre(AllOf(HasSubstr("old.pem"), HasSubstr("expired"))));
    const auto early = TlsContext::load(folder.make("new", {.begins = hours(1), .ends = hours(48)}));
    ASSERT_TRUE(early);
    EXPECT_THAT((*early)->warnings(), ElementsAre(HasSubstr("not valid before")));
    const auto files = folder.make("open");
    ASSERT_EQ(::chmod(files.key.c_str(), 0644), 0);
    const auto open = TlsContext::load(files);
    ASSERT_TRUE(open);
    EXPECT_THAT((*open)->warnings(),
                ElementsAre(AllOf(HasSubstr("read by every user"), HasSubstr("chmod 600"))));
    for (const mode_t mode : {0620U, 0602U, 0660U}) {
        ASSERT_EQ(::chmod(files.key.c_str(), mode), 0);
        const auto writable = TlsContext::load(files);
        ASSERT_TRUE(writable);
        EXPECT_THAT((*writable)->warnings(),
                    ElementsAre(AllOf(HasSubstr("changed by others"), HasSubstr("chmod 600"))));
    }
    ASSERT_EQ(::chmod(files.key.c_str(), 0640), 0);
    EXPECT_THAT((*TlsContext::load(files))->warnings(), testing::IsEmpty()) << "a group may read it";
}

}  // namespace
}  // namespace agentdb9::http
