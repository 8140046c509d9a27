import pkg from '../../package.json' with { type: 'json' };

if (process.argv.includes('--version')) process.stdout.write(`${pkg.version}\n`);
else {
  process.stderr.write('cutaway: nothing here yet but --version\n');
  process.exitCode = 2;
}
