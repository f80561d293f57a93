-- wrk.lua - what the load generator asks, and the figures of a round as one line.
--
-- usage: wrk … -s wrk.lua URL -- get
--        wrk … -s wrk.lua URL -- random FILE     a random line of FILE is the path, each time
--        wrk … -s wrk.lua URL -- post JSON

local threads = 0

function setup(thread)
	threads = threads + 1
	thread:set("seed", threads)
end

local function ask_at_random(file)
	local requests = {}
	for path in io.lines(file) do
		requests[#requests + 1] = wrk.format("GET", path)
	end
	math.randomseed(seed)
	function request()
		return requests[math.random(#requests)]
	end
end

-- Whoever asks has signed in: the cookie of the environment, on every request.
function init(words)
	wrk.headers["Cookie"] = os.getenv("OSTLER_COOKIE")
	if words[1] == "random" then
		ask_at_random(words[2])
	elseif words[1] == "post" then
		wrk.method = "POST"
		wrk.body = words[2]
		wrk.headers["Content-Type"] = "application/json"
	end
end

function done(summary, latency)
	local errors = summary.errors
	print(string.format("figures %d %d %d %d %d %d", summary.requests, summary.duration,
		latency:percentile(50), latency:percentile(99), latency.max,
		errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
