#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "config/settings.hpp"
#include "unit/config/loading.hpp"

namespace agentdb9::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Two good values of each setting, as TOML and as text, unlike its default and one another.
struct Sample {
    std::string toml;
    std::string text;
    std::string other;
};

const std::map<std::string, Sample>& samples() {
    static const std::map<std::string, Sample> all{
        {"dataDir", {R"("/a/one")", "/a/one", "/a/two"}},
        {"database.url", {R"("sqlite:/a/one.db")", "sqlite:/a/one.db", "sqlite:/a/two.db"}},
        {"server.listen", {R"("127.0.0.2:81")", "127.0.0.2:81", "[::1]:82"}},
        {"server.appsListen", {R"("127.0.0.2:83")", "127.0.0.2:83", "0.0.0.0:84"}},
        {"server.threads", {"3", "3", "4"}},
        {"server.publicUrl", {R"("https://one.example")", "https://one.example", "http://two.example:81"}},
        {"server.appsUrl", {R"("https://apps.one")", "https://apps.one", "https://apps.two"}},
        {"server.appsDomain", {R"("apps.one")", "apps.one", "apps.two"}},
        {"server.tlsCertificate", {R"("/one.pem")", "/one.pem", "/two.pem"}},
        {"server.tlsKey", {R"("/one.key")", "/one.key", "/two.key"}},
        {"server.appsTlsCertificate", {R"("/one.pem")", "/one.pem", "/two.pem"}},
        {"server.appsTlsKey", {R"("/one.key")", "/one.key", "/two.key"}},
        {"server.tlsRenewSeconds", {"3600", "3600", "7200"}},
        {"server.trustedProxies", {R"(["10.0.0.0/8", "::1"])", "10.0.0.0/8,::1", "192.0.2.7"}},
        {"server.bodyLimit", {"2048", "2048", "4096"}},
        {"server.drainSeconds", {"1", "1", "2"}},
        {"proxy.headSeconds", {"1", "1", "2"}},
        {"proxy.bodySeconds", {"1", "1", "2"}},
        {"proxy.idleSeconds", {"1", "1", "2"}},
        {"proxy.totalSeconds", {"1", "1", "2"}},
        {"proxy.connectSeconds", {"1", "1", "2"}},
        {"proxy.answerSeconds", {"1", "1", "2"}},
        {"proxy.connectionsPerUser", {"1", "1", "2"}},
        {"proxy.connectionsPerAddress", {"1", "1", "2"}},
        {"proxy.connectionsPerThread", {"1", "1", "2"}},
        {"auth.registration", {R"("open")", "open", "closed"}},
        {"auth.rateLimit", {"false", "false", "true"}},
        {"auth.jwtSecret",
         {R"("one 0123456789012345678901234567")", "one 0123456789012345678901234567",
          "two 0123456789012345678901234567"}},
        {"auth.adminEmail", {R"("one@example.org")", "one@example.org", "two@example.org"}},
        {"auth.adminPassword", {R"("password one")", "password one", "password two"}},
        {"docker.host", {R"("unix:///run/one.sock")", "unix:///run/one.sock", "tcp://192.0.2.1:2375"}},
        {"docker.network", {R"("one")", "one", "two"}},
        {"docker.reach", {R"("address")", "address", "published"}},
        {"docker.volumeDriver", {R"("one")", "one", "two"}},
        {"docker.maxParallelStarts", {"1", "1", "2"}},
        {"docker.registryLogins", {R"("/etc/one.json")", "/etc/one.json", "/etc/two.json"}},
        {"docker.firewall", {R"("off")", "off", "required"}},
        {"docker.egress", {R"(["10.0.0.0/8"])", "10.0.0.0/8", "192.0.2.1,2001:db8::/32"}},
        {"docker.hostPorts", {R"(["443"])", "443", "8000,8001"}},
        {"trash.days", {"1", "1", "2"}},
        {"quotas.workspaces", {"1", "1", "2"}},
        {"quotas.running", {"1", "1", "2"}},
        {"quotas.cpus", {"1", "1", "2"}},
        {"quotas.memory", {"1", "1", "2"}},
        {"quotas.volumeBytes", {"1", "1", "2"}},
        {"audit.days", {"1", "1", "2"}},
        {"backups.directory", {R"("/one")", "/one", "/two"}},
        {"backups.everyHours", {"1", "1", "2"}},
        {"backups.keep", {"1", "1", "2"}},
        {"history.days", {"1", "1", "2"}},
        {"history.perWorkspace", {"10", "10", "11"}},
        {"cleaning.volumesMinutes", {"5", "5", "6"}},
        {"cleaning.containersMinutes", {"5", "5", "6"}},
        {"cleaning.failedMinutes", {"5", "5", "6"}},
        {"cleaning.inactiveMinutes", {"5", "5", "6"}},
        {"cleaning.imagesMinutes", {"5", "5", "6"}},
        {"cleaning.prefetchMinutes", {"5", "5", "6"}},
        {"cleaning.failedHours", {"5", "5", "6"}},
        {"cleaning.inactiveDays", {"5", "5", "6"}},
        {"cleaning.imageDays", {"5", "5", "6"}},
        {"idle.checkSeconds", {"1", "1", "2"}},
        {"idle.warningSeconds", {"1", "1", "2"}},
        {"idle.cpuPercent", {"1", "1", "2"}},
        {"idle.diskKilobytes", {"1", "1", "2"}},
        {"idle.leastMinutes", {"1", "1", "2"}},
        {"idle.mostMinutes", {"1", "1", "2"}},
        {"idle.keepAliveSeconds", {"60", "60", "61"}},
        {"backups.maxParallel", {"1", "1", "3"}},
        {"backups.importLimit", {"1048576", "1048576", "2097152"}},
        {"executions.perWorkspace", {"1", "1", "2"}},
        {"executions.perUser", {"1", "1", "2"}},
        {"executions.defaultSeconds", {"1", "1", "2"}},
        {"executions.maxSeconds", {"1", "1", "2"}},
        {"terminals.perWorkspace", {"1", "1", "2"}},
        {"terminals.perUser", {"1", "1", "2"}},
        {"terminals.keepSeconds", {"1", "1", "2"}},
        {"logs.level", {R"("debug")", "debug", "error"}},
        {"logs.format", {R"("json")", "json", "human"}},
        {"logs.access", {R"("all")", "all", "sampled"}},
        {"logs.accessSample", {"1", "1", "2"}},
    };
    return all;
}

std::string toml_of(const std::string& key, const std::string& value) {
    const auto dot = key.find('.');
    if (dot == std::string::npos) return key + " = " + value + "\n";
    return "[" + key.substr(0, dot) + "]\n" + key.substr(dot + 1) + " = " + value + "\n";
}

// With what has to be set along with it.
Inputs inputs_for(const std::string& key) {
    static const std::map<std::string, std::string> others{
        {"server.tlsCertificate", "AGENTDB9_SERVER_TLS_KEY"},
        {"server.tlsKey", "AGENTDB9_SERVER_TLS_CERTIFICATE"},
        {"server.appsTlsCertificate", "AGENTDB9_SERVER_APPS_TLS_KEY"},
        {"server.appsTlsKey", "AGENTDB9_SERVER_APPS_TLS_CERTIFICATE"}};
    Inputs inputs;
    if (const auto found = others.find(key); found != others.end())
        inputs.environment[found->second] = "/other";
    return inputs;
}

TEST(Sources, EverySettingHasASample) {
    for (const auto& setting : settings())
        EXPECT_TRUE(samples().contains(setting.key)) << setting.key;
    EXPECT_EQ(samples().size(), settings().size());
}

TEST(Sources, EverySettingIsReadFromTheFileWithItsLine) {
    for (const auto& setting : settings()) {
        const auto& sample = samples().at(setting.key);
        const auto line = setting.key.find('.') == std::string::npos ? 1 : 2;
        const auto found =
            shown(load_text(toml_of(setting.key, sample.toml), inputs_for(setting.key)), setting.key);
        EXPECT_EQ(found.value, setting.secret ? "(set)" : sample.text) << setting.key;
        EXPECT_EQ(found.source, "agentdb9.toml:" + std::to_string(line)) << setting.key;
    }
}

TEST(Sources, TheEnvironmentGoesOverTheFile) {
    for (const auto& setting : settings()) {
        const auto& sample = samples().at(setting.key);
        auto inputs = inputs_for(setting.key);
        inputs.environment[setting.environment] = sample.other;
        const auto loaded = load_text(toml_of(setting.key, sample.toml), inputs);
        EXPECT_EQ(setting.show(loaded.configuration), sample.other) << setting.key;
        EXPECT_EQ(shown(loaded, setting.key).source, "environment " + setting.environment);
        EXPECT_THAT(loaded.warnings, IsEmpty());
    }
}

TEST(Sources, AFlagGoesOverBoth) {
    for (const auto& setting : settings()) {
        const auto& sample = samples().at(setting.key);
        auto inputs = inputs_for(setting.key);
        inputs.environment[setting.environment] = sample.text;
        inputs.flags[setting.key] = {"--some-flag", sample.other};
        const auto loaded = load_text(toml_of(setting.key, sample.toml), inputs);
        EXPECT_EQ(setting.show(loaded.configuration), sample.other) << setting.key;
        EXPECT_EQ(shown(loaded, setting.key).source, "flag --some-flag");
    }
}

TEST(Sources, NothingSetMeansTheDefault) {
    const auto loaded = load_text("");
    for (const auto& each : loaded.shown)
        EXPECT_EQ(each.source, "default") << each.key;
    EXPECT_EQ(shown(loaded, "server.listen").value, "127.0.0.1:8000");
    EXPECT_EQ(shown(loaded, "auth.registration").value, "closed");
}

TEST(Sources, SecretsAreNeverShown) {
    Inputs inputs;
    inputs.environment["AGENTDB9_JWT_SECRET"] = "hidden 01234567890123456789012345";
    const auto loaded = load_text(R"(
[database]
url = "sqlite:/hidden.db"
[auth]
adminPassword = "hidden password"
[docker.volumeDriverOptions]
o = "username=a,password=hidden"
[workspaceTypes.vscode]
env = { PASSWORD = "hidden" }
)",
                                  inputs);
    for (const auto& each : loaded.shown)
        EXPECT_THAT(each.value, testing::Not(HasSubstr("hidden"))) << each.key;
    EXPECT_EQ(shown(loaded, "docker.volumeDriverOptions.o").value, "(set)");
    EXPECT_EQ(shown(loaded, "workspaceTypes.vscode.env").value, "(set)");
    EXPECT_EQ(loaded.configuration.docker.volume_driver_options.at("o"), "username=a,password=hidden");
}

TEST(Sources, TheFileMayLieInTheDataDirectory) {
    const Folder folder;
    folder.write("agentdb9.toml", "[trash]\ndays = 3\n");
    Inputs inputs;
    inputs.environment["AGENTDB9_DATA_DIR"] = folder.path().string();
    const auto loaded = load(inputs);
    EXPECT_EQ(loaded.configuration.trash, std::chrono::days(3));
    EXPECT_EQ(loaded.file, folder.path() / "agentdb9.toml");
}

TEST(Sources, TheEnvironmentMayNameTheFileAndAFlagAnother) {
    const Folder folder;
    Inputs inputs;
    inputs.environment["AGENTDB9_CONFIG"] = folder.write("one.toml", "[trash]\ndays = 1\n").string();
    EXPECT_EQ(shown(load(inputs), "trash.days").source, "one.toml:2");
    inputs.file = folder.write("two.toml", "[trash]\ndays = 2\n");
    EXPECT_EQ(shown(load(inputs), "trash.days").source, "two.toml:2");
}

TEST(Sources, TheDataDirectoryFollowsXdgThenHome) {
    const Folder folder;
    const auto directory = [](Inputs inputs) { return load(inputs).configuration.data_dir; };
    Inputs inputs;
    EXPECT_EQ(directory(inputs), "/var/lib/agentdb9");
    inputs.environment["HOME"] = folder.path().string();
    EXPECT_EQ(directory(inputs), folder.path() / ".local/share/agentdb9");
    inputs.environment["XDG_DATA_HOME"] = (folder.path() / "data").string();
    EXPECT_EQ(directory(inputs), folder.path() / "data/agentdb9");
}

TEST(Sources, DockerHostIsTakenWhereNothingOfOursNamesTheEngine) {
    Inputs inputs;
    inputs.environment["DOCKER_HOST"] = "tcp://192.0.2.1:2375";
    auto found = shown(load_text("", inputs), "docker.host");
    EXPECT_EQ(found.value, "tcp://192.0.2.1:2375");
    EXPECT_EQ(found.source, "environment DOCKER_HOST");
    found = shown(load_text("[docker]\nhost = \"unix:///run/d.sock\"\n", inputs), "docker.host");
    EXPECT_EQ(found.source, "agentdb9.toml:2");
    inputs.environment["DOCKER_HOST"] = "ssh://elsewhere";
    EXPECT_THAT(refusal_of("", inputs).message(), HasSubstr("environment DOCKER_HOST: docker.host must be"));
}

TEST(Sources, UnknownNamesOfOursInTheEnvironmentAreWarnedOf) {
    Inputs inputs;
    inputs.environment["AGENTDB9_SERVER_LISTN"] = "x";
    inputs.environment["AGENTDB9_ENTIRELY_OTHER"] = "x";
    inputs.environment["OTHER_LISTEN"] = "x";
    EXPECT_THAT(
        load_text("", inputs).warnings,
        ElementsAre(
            "the environment variable AGENTDB9_ENTIRELY_OTHER names no setting and is ignored",
            "the environment variable AGENTDB9_SERVER_LISTN names no setting and is ignored; did you mean "
            "AGENTDB9_SERVER_LISTEN?"));
}

TEST(Sources, RewritesGoOverTheBuiltInOnes) {
    const auto loaded = load_text(R"([rewrites]
"/vscode" = "notebook"
"/wiki" = "http://[::1]:9000"
)");
    EXPECT_EQ(shown(loaded, "rewrites./vscode").value, "notebook");
    EXPECT_EQ(shown(loaded, "rewrites./vscode").source, "agentdb9.toml:2");
    EXPECT_EQ(shown(loaded, "rewrites./spreadsheet").source, "default");
    EXPECT_EQ(shown(loaded, "rewrites./wiki").value, "http://[::1]:9000");
    ASSERT_EQ(loaded.configuration.rewrites.size(), 3U);
    EXPECT_EQ(loaded.configuration.rewrites.back().upstream, (model::Endpoint{"::1", 9000}));
}

}  // namespace
}  // namespace agentdb9::config
