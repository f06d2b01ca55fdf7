/**
 * Brings what the build and the tests need: Debian's emscripten, cmake, ninja, cmocka and chromium through
 * apt, and the npm packages of package-lock.json. Says what it does; says nothing when all is there.
 * `node wasm/build/setup.js python` brings only what the Python tests need besides: Java.
 * Uses nothing but Node, since it runs before anything is installed.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync, mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import path from 'node:path';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** What must be there, how to tell, and the Debian package that brings it. */
const tools = [
  { name: 'emscripten', found: () => hasCommand('emcc'), apt: 'emscripten' },
  { name: 'cmake', found: () => hasCommand('cmake'), apt: 'cmake' },
  { name: 'a C compiler', found: () => hasCommand('cc'), apt: 'build-essential' },
  {
    name: 'cmocka',
    found: () => ['/usr/include', '/usr/local/include', '/opt/homebrew/include']
      .some((folder) => existsSync(path.join(folder, 'cmocka.h'))),
    apt: 'libcmocka-dev',
  },
  {
    name: 'chromium',
    found: () => Boolean(process.env.GYEOT_CHROMIUM) || hasCommand('chromium') ||
      hasCommand('chromium-browser') || hasCommand('google-chrome'),
    apt: 'chromium',
  },
];

/** What the Python tests need besides: Spark runs on Java. */
const pythonTools = [{ name: 'Java', found: () => hasCommand('java'), apt: 'default-jre-headless' }];

/** Installs what is missing; throws an Error whose message says what to do when it cannot. */
export function setup() {
  installTools(tools);
  installPackages();
}

function installTools(tools) {
  const missing = tools.filter((tool) => !tool.found());
  if (missing.length === 0) return;
  const names = missing.map((tool) => tool.name).join(', ');
  const packages = missing.map((tool) => tool.apt);
  if (process.getuid?.() !== 0 || !hasCommand('apt-get')) {
    throw new Error(
      `Missing: ${names}.\n` +
        (hasCommand('apt-get')
          ? `Install as root:  apt-get install ${packages.join(' ')}`
          : `Install them with this system's package manager (emscripten 3.1.6 or newer), then run this again`),
    );
  }
  console.log(`Installing ${names} (apt-get install ${packages.join(' ')})`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  run('apt-get', ['update', '-q'], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  run('apt-get', ['install', '-y', '-q', '--no-install-recommends', ...packages], {
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

/** `npm ci` when node_modules is not what package-lock.json says. */
function installPackages() {
  const lock = readFileSync(path.join(root, 'package-lock.json'), 'utf8');
  const stamp = path.join(root, 'node_modules', '.gyeot-lock');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  console.log('Installing npm packages (npm ci)');
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  mkdirSync(path.dirname(stamp), { recursive: true });
  writeFileSync(stamp, lock);
}

function hasCommand(name) {
  return (process.env.PATH ?? '')
    .split(path.delimiter)
    .some((folder) => existsSync(path.join(folder, name)));
}

function run(command, args, options) {
  const { status, error } = spawnSync(command, args, options);
  if (error || status !== 0) {
    throw new Error(`${command} ${args.join(' ')} failed${error ? `: ${error.message}` : ''}`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    if (process.argv[2] === 'python') installTools(pythonTools);
    else setup();
  } catch (error) {
    console.error(error.message);
    process.exit(1);
  }
}
