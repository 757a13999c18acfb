-- Prints what wrk measured as one line of JSON. With BENCH_BODY it posts that file, in which @SEQ@ becomes
-- another number with each request and @USER@ one of 800; an answer whose body holds BENCH_TAKEN, or any
-- below 400 (or of BENCH_STATUS alone) where that is not set, counts as taken. Without BENCH_BODY there is no callback for answers, so
-- that wrk keeps its fast path.
local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

local function post(file)
  local template = assert(io.open(file, "rb")):read("*a")
  local run, count = os.getenv("BENCH_RUN") or "0", 0
  local mark, wanted = os.getenv("BENCH_TAKEN"), tonumber(os.getenv("BENCH_STATUS"))
  taken = 0
  wrk.headers["Content-Type"] = os.getenv("BENCH_TYPE") or "application/json"
  function request()
    count = count + 1
    local body = template:gsub("@SEQ@", run .. "x" .. count):gsub("@USER@", tostring(count % 800))
    return wrk.format("POST", nil, nil, body)
  end
  function response(status, _, body)
    local good = wanted and status == wanted or not wanted and status < 400
    if good and (not mark or body:find(mark, 1, true)) then taken = taken + 1 end
  end
end

function init(arguments)
  local file = os.getenv("BENCH_BODY")
  if file then post(file) end
end

function done(summary, latency)
  local errors, sum = summary.errors, nil
  for _, thread in ipairs(threads) do
    local part = thread:get("taken")
    if part then sum = (sum or 0) + part end
  end
  local good = sum or summary.requests - errors.status
  io.write(string.format('\nJSON {"good": %d, "requests": %d, "microseconds": %d, "p50": %d, "p99": %d, "broken": %d}\n',
    good, summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.timeout))
end
