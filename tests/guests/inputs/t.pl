
use strict; use Digest::SHA qw(sha1_hex); use Storable qw(freeze thaw); use List::Util qw(sum); use POSIX qw(floor strftime);
my %h; open my $f, "<", "/opt/pool/words.txt" or die; while (<$f>) { chomp; $h{substr $_, 0, 2}++ } print join(" ", map { "$_=$h{$_}" } (sort { $h{$b} <=> $h{$a} || $a cmp $b } keys %h)[0..4]), "\n";
print sha1_hex("pool"), "\n"; my $t = thaw(freeze([1..10])); print sum(@$t), "\n"; my $s = "abc" x 1000; (my $u = $s) =~ s/(b)(c)/$2$1/g; print length($u), substr($u, 0, 6), "\n"; print strftime("%Y-%m-%d", gmtime(86400 * 365)), " ", floor(-1.5), "\n";
pipe my $r, my $w; my $p = fork; if (!$p) { close $r; print $w "child says $$\n" =~ s/\d+/N/r; exit 3 } close $w; print <$r>; waitpid $p, 0; print $? >> 8, "\n"; local $SIG{ALRM} = sub { die "alarm\n" }; eval { alarm 1; select undef, undef, undef, 5; }; print $@; print `echo backtick`;
