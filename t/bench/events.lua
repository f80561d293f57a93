-- events.lua - a load of shop events, each with an id of its own, for wrk.
--
-- usage: wrk … -s events.lua URL -- EVENTS     so many in the array of each request
--
-- A thread makes 40 bodies when it begins; each request is one of them with new ids in it, which is what
-- costs least.  Times are those of the begin, so that a run of minutes stays in the days that are kept.

local threads = 0

function setup(thread)
	threads = threads + 1
	thread:set("seed", threads)
end

local categories = { "books", "games", "garden", "music", "toys", "shoes", "kitchen" }

-- What visitors mostly do, and seldom: of 100 events 60 are views, 8 purchases.
local function kind()
	local r = math.random(100)
	return r <= 60 and "page_view" or r <= 75 and "search" or r <= 88 and "add_to_cart" or
		r <= 92 and "remove_from_cart" or "purchase"
end

local function rest_of_event(now)
	local kind, visitor, product = kind(), math.random(20000), math.random(500)
	local text = string.format('","event_type":"%s","timestamp":"%s","user_id":"user-%d","session_id":"s-%d-%d"',
		kind, now, visitor, visitor, math.random(2))
	if kind == "search" then
		return text .. ',"query":"red shoes"}'
	end
	text = text .. string.format(',"product":{"id":"p-%04d","name":"Product number %d","category":"%s","price":%d.99}',
		product, product, categories[product % #categories + 1], product % 90 + 9)
	if kind == "purchase" then
		text = text .. string.format(',"quantity":2,"total_amount":%d.98,"payment_method":"pix"', 2 * (product % 90 + 9) + 1)
	end
	return text .. "}"
end

local bodies, count, serial, head = {}, 1, 0, nil

function init(words)
	count = tonumber(words[1]) or 1
	math.randomseed(seed * 7919 + os.time())
	-- As version 7 has it: the time, and then nothing that anybody else would have.
	head = string.format("%08x-%04x-7%03x-8%03x-", os.time(), seed, math.random(4095), math.random(4095))
	local now = os.date("!%Y-%m-%dT%H:%M:%SZ")
	for body = 1, 40 do
		bodies[body] = {}
		for event = 1, count do
			bodies[body][event] = rest_of_event(now)
		end
	end
	wrk.method = "POST"
	wrk.headers["Content-Type"] = "application/json"
end

function request()
	local body, parts = bodies[math.random(#bodies)], {}
	for event = 1, count do
		serial = serial + 1
		parts[event] = string.format('{"event_id":"%s%012x%s', head, serial, body[event])
	end
	return wrk.format(nil, nil, nil, "[" .. table.concat(parts, ",") .. "]")
end

function done(summary, latency)
	local errors = summary.errors
	print(string.format("figures %d %d %d %d %d %d", summary.requests, summary.duration,
		latency:percentile(50), latency:percentile(99), latency.max,
		errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
