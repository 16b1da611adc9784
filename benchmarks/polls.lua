-- Polls for wrk: what stands before and after an id, the file of ids, and a seed, as arguments.

local before, after
local ids = {}

local function content(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

function init(args)
  before, after = content(args[1]), content(args[2])
  for id in io.lines(args[3]) do
    ids[#ids + 1] = id
  end
  math.randomseed(tonumber(args[4]))
end

function request()
  return before .. ids[math.random(#ids)] .. after
end
