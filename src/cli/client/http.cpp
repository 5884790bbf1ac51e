#include "cli/client/http.hpp"

#include <curl/curl.h>

#include <array>
#include <exception>
#include <new>
#include <string_view>

#include "cli/client/server_url.hpp"
#include "cli/version.hpp"

namespace agentdb9::cli::client {
namespace {

constexpr std::size_t kMaxBodyBytes = std::size_t{32} << 20;
constexpr std::chrono::milliseconds kConnectLimit{10'000};

struct Transfer {
    const HttpRequest& request;
    const std::function<bool()>& cancelled;
    CURL* curl = nullptr;
    std::string body;
    bool too_large = false;
    bool enough = false;
    // What was thrown in one of the functions below: it must not pass through libcurl, which is C and would
    // stay where it was.
    std::exception_ptr thrown = {};
};

bool is_success(CURL* curl) {
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    return status >= 200 && status < 300;
}

// What `work` returns; `otherwise` where it throws.
template <class T, class F>
T kept(Transfer& transfer, T otherwise, F work) {
    try {
        return work();
    } catch (...) {
        transfer.thrown = std::current_exception();
        return otherwise;
    }
}

std::size_t receive(char* data, std::size_t size, std::size_t count, void* user) {
    auto& transfer = *static_cast<Transfer*>(user);
    const auto bytes = size * count;
    return kept(transfer, std::size_t{0}, [&]() -> std::size_t {
        if (transfer.request.on_piece && is_success(transfer.curl)) {
            transfer.enough = !transfer.request.on_piece({data, bytes});
            return transfer.enough ? 0 : bytes;
        }
        if (transfer.body.size() + bytes > kMaxBodyBytes) {
            transfer.too_large = true;
            return 0;
        }
        transfer.body.append(data, bytes);
        return bytes;
    });
}

std::size_t give(char* room, std::size_t size, std::size_t count, void* user) {
    auto& transfer = *static_cast<Transfer*>(user);
    return kept(transfer, std::size_t{CURL_READFUNC_ABORT}, [&]() -> std::size_t {
        return transfer.request.read_body({room, size * count}).value_or(CURL_READFUNC_ABORT);
    });
}

int look(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    auto& transfer = *static_cast<Transfer*>(user);
    if (!transfer.request.may_be_cancelled || !transfer.cancelled) return 0;
    return kept(transfer, 1, [&] { return transfer.cancelled() ? 1 : 0; });
}

class HeaderList {
  public:
    HeaderList() = default;
    HeaderList(const HeaderList&) = delete;
    HeaderList& operator=(const HeaderList&) = delete;
    ~HeaderList() { curl_slist_free_all(list_); }
    void add(const std::string& line) {
        auto* longer = curl_slist_append(list_, line.c_str());
        if (longer == nullptr) throw std::bad_alloc();
        list_ = longer;
    }
    curl_slist* get() const { return list_; }

  private:
    curl_slist* list_ = nullptr;
};

// Takes back every option; the connection stays.
class Forgetting {
  public:
    explicit Forgetting(CURL* curl) : curl_(curl) {}
    Forgetting(const Forgetting&) = delete;
    Forgetting& operator=(const Forgetting&) = delete;
    ~Forgetting() { curl_easy_reset(curl_); }

  private:
    CURL* curl_;
};

}  // namespace

HttpFailure::Kind failure_kind(int curl_code) {
    switch (static_cast<CURLcode>(curl_code)) {
        case CURLE_COULDNT_RESOLVE_HOST:
        case CURLE_COULDNT_RESOLVE_PROXY:
        case CURLE_COULDNT_CONNECT:
        case CURLE_SEND_ERROR:
        case CURLE_RECV_ERROR:
        case CURLE_GOT_NOTHING:
        case CURLE_PARTIAL_FILE:
            return HttpFailure::Kind::kUnreachable;
        case CURLE_OPERATION_TIMEDOUT:
            return HttpFailure::Kind::kSilent;
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_CONNECT_ERROR:
        case CURLE_SSL_CACERT_BADFILE:
        case CURLE_SSL_ISSUER_ERROR:
            return HttpFailure::Kind::kCertificate;
        case CURLE_ABORTED_BY_CALLBACK:
            return HttpFailure::Kind::kCancelled;
        default:
            return HttpFailure::Kind::kOther;
    }
}

class HttpClient::Handle {
  public:
    Handle() {
        static const bool ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
        if (!ready || (curl_ = curl_easy_init()) == nullptr) throw std::bad_alloc();
    }
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;
    ~Handle() { curl_easy_cleanup(curl_); }

    template <typename Value>
    void set(CURLoption option, Value value) {
        curl_easy_setopt(curl_, option, value);
    }
    CURL* get() const { return curl_; }

  private:
    CURL* curl_ = nullptr;
};

HttpClient::HttpClient(std::string ca_file) : ca_file_(std::move(ca_file)) {}
HttpClient::~HttpClient() = default;

std::expected<HttpAnswer, HttpFailure> HttpClient::send(const HttpRequest& request) {
    if (!handle_) handle_ = std::make_unique<Handle>();
    auto& curl = *handle_;
    Transfer transfer{.request = request, .cancelled = cancelled_, .curl = curl.get(), .body = {}};
    std::array<char, CURL_ERROR_SIZE> words{};
    HeaderList headers;
    for (const auto& line : request.headers)
        headers.add(line);
    // libcurl may write to these until it is told otherwise, also when it closes the connection.
    const Forgetting forgetting(curl.get());

    curl.set(CURLOPT_URL, request.url.c_str());
    curl.set(CURLOPT_PROTOCOLS_STR, "http,https");
    curl.set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    curl.set(CURLOPT_SSL_VERIFYPEER, 1L);
    curl.set(CURLOPT_SSL_VERIFYHOST, 2L);
    if (!ca_file_.empty()) curl.set(CURLOPT_CAINFO, ca_file_.c_str());
    // What runs on this machine is not asked for by way of another.
    if (is_loopback_url(request.url)) curl.set(CURLOPT_PROXY, "");
    curl.set(CURLOPT_NOSIGNAL, 1L);
    curl.set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(std::min(kConnectLimit, request.limit).count()));
    if (request.on_piece || request.read_body) {
        curl.set(CURLOPT_LOW_SPEED_LIMIT, 1L);
        curl.set(CURLOPT_LOW_SPEED_TIME,
                 static_cast<long>(std::chrono::ceil<std::chrono::seconds>(request.limit).count()));
    } else {
        curl.set(CURLOPT_TIMEOUT_MS, static_cast<long>(request.limit.count()));
    }
    curl.set(CURLOPT_USERAGENT, ("agentdb9/" + std::string(kVersion)).c_str());
    curl.set(CURLOPT_HTTPHEADER, headers.get());
    if (request.read_body) {
        curl.set(CURLOPT_UPLOAD, 1L);
        curl.set(CURLOPT_UPLOAD_BUFFERSIZE, 256L << 10);
        curl.set(CURLOPT_READFUNCTION, &give);
        curl.set(CURLOPT_READDATA, &transfer);
    } else if (!request.body.empty()) {
        curl.set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
        curl.set(CURLOPT_POSTFIELDS, request.body.c_str());
    } else if (request.method == "POST") {
        curl.set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(0));
        curl.set(CURLOPT_POSTFIELDS, "");
    }
    curl.set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
    curl.set(CURLOPT_WRITEFUNCTION, &receive);
    curl.set(CURLOPT_WRITEDATA, &transfer);
    curl.set(CURLOPT_XFERINFOFUNCTION, &look);
    curl.set(CURLOPT_XFERINFODATA, &transfer);
    curl.set(CURLOPT_NOPROGRESS, 0L);
    curl.set(CURLOPT_ERRORBUFFER, words.data());

    const auto code = curl_easy_perform(curl.get());
    if (transfer.thrown) std::rethrow_exception(transfer.thrown);
    if (code != CURLE_OK) {
        if (transfer.enough) return std::unexpected(HttpFailure{HttpFailure::Kind::kCancelled, "enough"});
        if (transfer.too_large) {
            return std::unexpected(
                HttpFailure{HttpFailure::Kind::kOther, "its answer is larger than 32 MiB"});
        }
        return std::unexpected(HttpFailure{failure_kind(static_cast<int>(code)),
                                           words[0] != '\0' ? words.data() : curl_easy_strerror(code)});
    }
    HttpAnswer answer{.status = 0, .body = std::move(transfer.body), .location = {}};
    long status = 0;
    curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
    answer.status = static_cast<int>(status);
    const char* location = nullptr;
    curl_easy_getinfo(curl.get(), CURLINFO_REDIRECT_URL, &location);
    if (location != nullptr) answer.location = location;
    return answer;
}

}  // namespace agentdb9::cli::client
