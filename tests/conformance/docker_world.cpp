#include "conformance/docker_world.hpp"

#include <signal.h>
#include <unistd.h>

#include <cstdlib>

#include "runtime/docker/log_frames.hpp"

namespace agentdb9::runtime {

namespace {

constexpr std::string_view kMark = "c0f04a0e-";
constexpr std::string_view kNetworkPrefix = "agentdb9-conformance-";

std::string engine_host() {
    const char* host = std::getenv("DOCKER_HOST");
    return host != nullptr && *host != '\0' ? host : "unix:///var/run/docker.sock";
}

std::string engine_socket() {
    const auto host = engine_host();
    return host.starts_with("unix://") ? host.substr(7) : host;
}

// The mark, then eight digits of the process's number, then chance.
base::InstallationId make_installation() {
    char pid[9];
    std::snprintf(pid, sizeof pid, "%08x", static_cast<unsigned>(::getpid()));
    const std::string digits = pid;
    auto text = base::InstallationId::generate().str();
    text.replace(0, 9, kMark);
    text.replace(9, 4, digits.substr(0, 4));
    text.replace(14, 4, digits.substr(4));
    return *base::InstallationId::parse(text);
}

// Whose it is; absent when it is none of these tests'.
std::optional<pid_t> process_of(std::string_view installation) {
    if (!installation.starts_with(kMark) || installation.size() != base::kUuidLength) return std::nullopt;
    const auto digits = std::string(installation.substr(9, 4)) + std::string(installation.substr(14, 4));
    return static_cast<pid_t>(std::stoul(digits, nullptr, 16));
}

bool is_left_behind(pid_t process) {
    return process != ::getpid() && ::kill(process, 0) != 0 && errno == ESRCH;
}

std::string label(const json::value& object) {
    const auto* labels = object.as_object().if_contains("Labels");
    if (labels == nullptr || !labels->is_object()) return {};
    return docker::text_at(labels->get_object(), docker::kInstanceLabel);
}

// Says what is missing, instead of a hundred failures that follow from it.
class Engine final : public testing::Environment {
  public:
    void SetUp() override {
        try {
            DockerWorld world;
            world.engine("GET", "/images/agentdb9%2Ftestapp%3Alocal/json");
        } catch (const std::exception& error) {
            FAIL() << error.what() << "\nThese tests need a container engine with the image "
                   << "agentdb9/testapp:local; scripts/test starts one and builds it.";
        }
        DockerWorld::sweep(false);
    }
    void TearDown() override { DockerWorld::sweep(true); }
};

const auto* const kEngine = testing::AddGlobalTestEnvironment(new Engine);

}  // namespace

DockerWorld::DockerWorld()
    : relay_(context_, engine_socket()),
      engine_(context_.get_executor(), clock_, engine_host()),
      installation_(make_installation()),
      other_(make_installation()) {
    runtimes_.push_back(make_runtime(installation_, shared_network()));
    runtime_ = runtimes_.back().get();
}

DockerWorld::~DockerWorld() {
    try {
        remove_all_of([this](std::string_view installation) {
            return installation == installation_.view() || installation == other_.view();
        });
        engine("DELETE", "/networks/" + own_network(), std::nullopt, true);
    } catch (const std::exception& error) {
        ADD_FAILURE() << "something is left behind: " << error.what();
    }
}

std::string DockerWorld::shared_network() {
    return std::string(kNetworkPrefix) + std::to_string(::getpid());
}

std::string DockerWorld::own_network() {
    return shared_network() + "-" + installation_.str().substr(24);
}

std::unique_ptr<docker::DockerRuntime> DockerWorld::make_runtime(const base::InstallationId& installation,
                                                                 const std::string& network,
                                                                 docker::Reach reach,
                                                                 bool reads_directories) {
    return std::make_unique<docker::DockerRuntime>(
        executor(), clock_, installation,
        docker::DockerOptions{.host = relay_.host(),
                              .network = network,
                              .reach = reach,
                              .reads_directories = reads_directories});
}

Runtime& DockerWorld::restarted() {
    runtimes_.push_back(make_runtime(installation_, shared_network()));
    return *runtimes_.back();
}

Runtime& DockerWorld::of_another_installation() {
    runtimes_.push_back(make_runtime(other_, shared_network()));
    return *runtimes_.back();
}

bool DockerWorld::go_on_until(const std::function<bool()>& done) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!done()) {
        context_.restart();
        context_.run_one_until(deadline);
        if (std::chrono::steady_clock::now() > deadline) return done();
    }
    return true;
}

void DockerWorld::let_a_moment_pass() {
    context_.restart();
    context_.run_for(std::chrono::milliseconds(10));
}

template <class T>
T DockerWorld::run(Task<T> task) {
    std::exception_ptr failure;
    std::optional<T> result;
    bool ended = false;
    asio::co_spawn(context_, base::boxed(std::move(task)),
                   [&](std::exception_ptr error, std::optional<T> value) {
                       failure = error;
                       result = std::move(value);
                       ended = true;
                   });
    if (!go_on_until([&] { return ended; })) std::abort();  // the engine client's own limit is lower
    if (failure) std::rethrow_exception(failure);
    return std::move(*result);
}

json::value DockerWorld::engine(const std::string& method, const std::string& target,
                                std::optional<json::value> body, bool missing_is_fine) {
    const auto answer = run(engine_.call(method, target, std::move(body), std::chrono::seconds(40)));
    if (!answer.ok() && answer.status != 304 && !(missing_is_fine && answer.status == 404))
        throw std::runtime_error(method + " " + target + ": " + answer.message());
    return answer.body.empty() ? json::value() : answer.parsed();
}

void DockerWorld::kill(const std::string& id) {
    engine("POST", "/containers/" + id + "/kill");
}

void DockerWorld::pause(const std::string& id) {
    engine("POST", "/containers/" + id + "/pause");
}

void DockerWorld::remove(const std::string& id) {
    engine("DELETE", "/containers/" + id + "?force=true");
}

void DockerWorld::rename(const std::string& id, const std::string& name) {
    engine("POST", "/containers/" + id + "/rename?name=" + name);
}

void DockerWorld::make_volume(const std::string& name, bool of_another_installation) {
    json::object labels;
    if (of_another_installation) labels[docker::kInstanceLabel] = other_.view();
    // Without a label the clean-up does not know it: another one tells whose it is.
    labels["agentdb9.conformance"] = other_.view();
    engine("POST", "/volumes/create", json::object{{"Name", name}, {"Labels", std::move(labels)}});
}

bool DockerWorld::has_volume(const std::string& name) {
    return run(engine_.call("GET", "/volumes/" + docker::percent_encode(name))).ok();
}

bool DockerWorld::is_running(const std::string& id) {
    return engine("GET", "/containers/" + id + "/json").at("State").at("Running").as_bool();
}

std::pair<int, std::string> DockerWorld::execute(const std::string& id,
                                                 const std::vector<std::string>& command) {
    // The shell tells the exit code, so that nothing has to be waited for.
    json::array words{"sh", "-c", R"("$@" 2>&1; echo "exit code $?")", "sh"};
    for (const auto& word : command)
        words.push_back(json::string(word));
    const auto made =
        engine("POST", "/containers/" + id + "/exec",
               json::object{{"AttachStdout", true}, {"AttachStderr", true}, {"Cmd", std::move(words)}});
    // Without an upgrade the output comes as a body that ends with the connection.
    const auto answer = run(engine_.call("POST", "/exec/" + std::string(made.at("Id").as_string()) + "/start",
                                         json::object{{"Detach", false}}, std::chrono::seconds(60)));
    auto output = docker::decode_log(answer.body);
    const auto end = output.rfind("exit code ");
    if (end == std::string::npos) throw std::runtime_error(command.front() + ": " + output);
    const int code = std::stoi(output.substr(end + 10));
    return {code, output.substr(0, end)};
}

void DockerWorld::remove_all_of(const std::function<bool(std::string_view)>& whose) {
    for (const auto& container : engine("GET", "/containers/json?all=1").as_array()) {
        if (!whose(label(container))) continue;
        engine("DELETE", "/containers/" + std::string(container.at("Id").as_string()) + "?force=true",
               std::nullopt, true);
    }
    const auto volumes = engine("GET", "/volumes");
    if (!volumes.at("Volumes").is_array()) return;
    for (const auto& volume : volumes.at("Volumes").as_array()) {
        auto owner = label(volume);
        const auto* labels = volume.as_object().if_contains("Labels");
        if (owner.empty() && labels != nullptr && labels->is_object())
            owner = docker::text_at(labels->get_object(), "agentdb9.conformance");
        if (!whose(owner)) continue;
        engine("DELETE", "/volumes/" + docker::percent_encode(volume.at("Name").as_string()), std::nullopt,
               true);
    }
}

void DockerWorld::sweep(bool own) {
    const auto goes = [own](pid_t process) { return own ? process == ::getpid() : is_left_behind(process); };
    DockerWorld world;
    world.remove_all_of([&](std::string_view installation) {
        const auto process = process_of(installation);
        return process && goes(*process);
    });
    for (const auto& network : world.engine("GET", "/networks").as_array()) {
        const std::string name(network.at("Name").as_string());
        if (!name.starts_with(kNetworkPrefix)) continue;
        if (goes(static_cast<pid_t>(std::atoi(name.c_str() + kNetworkPrefix.size()))))
            world.engine("DELETE", "/networks/" + std::string(network.at("Id").as_string()), std::nullopt,
                         true);
    }
}

INSTANTIATE_TEST_SUITE_P(Docker, RuntimeSuite,
                         testing::Values(RuntimeCase{"docker",
                                                     [] { return std::make_unique<DockerWorld>(); }}),
                         case_name);

}  // namespace agentdb9::runtime
