"""sbatch's errors, tried again or not, and the environment that it inherits."""

import os
from pathlib import Path

import pytest
from submitit.core.utils import FailedJobError

from executor_helpers import calls, files, programs, snakemake
from snakemake_executor_plugin_submitit import ExecutorSettings
from snakemake_executor_plugin_submitit.parameters import Allocation, submitit_parameters
from snakemake_executor_plugin_submitit.registry import Entry
from snakemake_executor_plugin_submitit.sbatch_environment import (
    check_one_cluster,
    variables_to_remove,
)
from snakemake_executor_plugin_submitit.slurm import SlurmCluster, SlurmUnavailableError
from snakemake_executor_plugin_submitit.submission import SubmissionRetry, is_temporary, submit

ERROR = "sbatch: error: Batch job submission failed: "
POLICY = ERROR + (
    "Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)"
)
TEMPORARY = [
    "sbatch: error: AssocMaxSubmitJobLimit\n" + POLICY,
    "sbatch: error: QOSMaxSubmitJobPerUserLimit\n" + POLICY,
    "sbatch: error: AssocGrpSubmitJobsLimit\n" + POLICY,
    POLICY,  # An older Slurm does not say which limit.
    ERROR + "Unexpected message received",
    ERROR + "Transport endpoint is not connected",
    ERROR + "Protocol authentication error",
    ERROR + "Slurm backup controller in standby mode",
    ERROR + "Unable to contact slurm controller (connect failure)",
    ERROR + "Socket timed out on send/recv operation",
    ERROR + "Zero Bytes were transmitted or received",
    ERROR + "Resource temporarily unavailable",
    ERROR + "Connection refused",
    ERROR + "No route to host",
    ERROR + "I/O error writing script/environment to file",
    ERROR + "MaxJobCount limit reached",
    ERROR + "Required partition not available (inactive or drain)",
    ERROR + "System submissions disabled",
    ERROR + "Rate limit exceeded, please retry momentarily",
]
FINAL = [
    "sbatch: error: QOSMaxWallDurationPerJobLimit\n" + POLICY,
    "sbatch: error: AssocMaxCpuPerJobLimit\n" + POLICY,
    "sbatch: error: invalid partition specified: connection\n"
    + ERROR
    + "Invalid partition name specified",
    ERROR + "Invalid account or account/partition combination specified",
    ERROR + "Invalid qos specification",
    ERROR + "Requested node configuration is not available",
    ERROR + "Requested time limit is invalid (missing or exceeds some limit)",
    ERROR + "Memory specification can not be satisfied",
    ERROR + "Access/permission denied",
    "sbatch: error: You must name a project (job_submit.lua)",
]


@pytest.mark.parametrize("text", TEMPORARY)
def test_temporary_errors(text: str) -> None:
    assert is_temporary(text)


@pytest.mark.parametrize("text", FINAL)
def test_final_errors(text: str) -> None:
    assert not is_temporary(text)


class Submission:
    """Submits a job to an sbatch that first prints an error `times` times."""

    def __init__(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, text: str, times: int, queued: int = 0
    ) -> None:
        self.folder = folder
        (folder / "says").write_text(text)
        refuse = f"if [ $(grep -c sbatch '{folder}/calls') -le {times} ]; then"
        sbatch = f"{refuse} cat '{folder}/says' >&2; exit 1; fi; echo Submitted batch job 17"
        programs(folder, monkeypatch, sbatch=sbatch, srun="", squeue="", sacct="")
        self.said: list[str] = []
        self.clock = 0.0
        module = "snakemake_executor_plugin_submitit.submission"
        monkeypatch.setattr(f"{module}.sleep", self.sleep)
        monkeypatch.setattr(f"{module}.monotonic", lambda: self.clock)
        left = iter([True] * queued + [False] * 1000)
        self.stopping = False
        self.retry = SubmissionRetry(
            10, lambda: next(left), self.said.append, lambda: self.stopping
        )

    def sleep(self, seconds: float) -> None:
        """A pause, without waiting."""
        self.clock += seconds

    def submit(self) -> str:
        """The id of the job."""
        settings, place = ExecutorSettings(), self.folder / "job"
        given = submitit_parameters(settings, {}, Allocation(1, 1, 0, 1), "job", place)
        entry = Entry("key", "job", "digest", "slurm", "host", 1, 1e9)
        cluster = SlurmCluster(self.said.append)
        return submit(entry, print, given, {}, place, cluster, settings, self.retry)

    def tries(self) -> int:
        """How often sbatch was called."""
        return calls(self.folder).count("sbatch")


def test_pauses_grow_until_a_job_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    submission = Submission(tmp_path, monkeypatch, TEMPORARY[4], 8)
    assert submission.submit() == "17"
    assert submission.clock == 2 + 4 + 8 + 16 + 32 + 60 + 60 + 60
    assert len(set(submission.said)) == 1
    assert capfd.readouterr().err == ""
    assert "Unexpected message received; tried again for 10 minutes" in submission.said[0]


def test_patience_is_one_for_all_jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    submission = Submission(tmp_path, monkeypatch, TEMPORARY[5], 1000)
    with pytest.raises(SlurmUnavailableError, match="is not connected; so for 10 minutes"):
        submission.submit()
    assert submission.clock == 600
    tried = submission.tries()
    with pytest.raises(SlurmUnavailableError):
        submission.submit()
    assert submission.tries() == tried + 1


def test_whoever_waits_can_be_told_to_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    submission = Submission(tmp_path, monkeypatch, TEMPORARY[5], 1000)
    submission.stopping = True
    with pytest.raises(SlurmUnavailableError, match="Snakemake was told to end"):
        submission.submit()
    assert submission.tries() == 1


def test_a_queue_full_of_our_jobs_is_awaited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    submission = Submission(tmp_path, monkeypatch, TEMPORARY[0], 30, queued=29)
    assert submission.submit() == "17"
    assert submission.clock > 2 * 600


def test_what_is_final_is_said_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    submission = Submission(tmp_path, monkeypatch, FINAL[3], 1000)
    with pytest.raises(FailedJobError, match="Invalid account"):
        submission.submit()
    assert (submission.tries(), submission.clock, submission.said) == (1, 0, [])


REFUSED = """
rule all:
    input:
        "plain", "callable"


rule plain:
    input:
        "first"
    output:
        "plain"
    resources:
        slurm_partition="of-the-rule"
    shell:
        "false"


rule callable:
    input:
        "first"
    output:
        "callable"
    params:
        submitit="calls:Nothing"
    shell:
        "false"
"""


def test_refused_jobs_leave_older_outputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "place"
    place.mkdir()
    (place / "Snakefile").write_text(REFUSED)
    for name in ("plain", "callable"):
        (place / name).write_text("finished")
        os.utime(place / name, (1e9, 1e9))
    (place / "first").write_text("newer")
    (tmp_path / "says").write_text(FINAL[3])
    # It keeps what it was given under the name of the job, without its token.
    sbatch = "name=$(sed -n 's/.*job-name=\\(.*\\)-.*/\\1/p' \"$1\");"
    sbatch += f" cat \"$1\" > '{tmp_path}'/$name.sh; env > '{tmp_path}'/$name.env;"
    sbatch += f" cat '{tmp_path}/says' >&2; exit 1"
    programs(tmp_path, monkeypatch, sbatch=sbatch, srun="", squeue="", sacct="")
    before = files(place)
    user = {"SBATCH_PARTITION": "of-the-user", "SBATCH_MEM_PER_NODE": "7G"}
    for _ in range(2):  # Nor does Snakemake take them for incomplete.
        status, said = snakemake(place, "--keep-going", cluster="slurm", **user)
        assert status == 1
        assert said.count("Not submitted: sbatch: error: Batch job submission failed: Invalid") == 2
        assert files(place) == before
    assert "--partition=of-the-rule" in (tmp_path / "plain.sh").read_text()
    assert "SBATCH_PARTITION" not in (tmp_path / "plain.env").read_text()
    assert "SBATCH_PARTITION=of-the-user" in (tmp_path / "callable.env").read_text()
    # What Snakemake itself assumes where nobody says anything ranks below the user.
    assert "SBATCH_MEM_PER_NODE=7G" in (tmp_path / "plain.env").read_text()
    assert "--mem=" not in (tmp_path / "plain.sh").read_text()


USER = {"SBATCH_PARTITION": "mine", "SBATCH_ACCOUNT": "me", "SBATCH_RESERVATION": "r"}
USER |= {"SBATCH_TIMELIMIT": "30", "SBATCH_MEM_PER_CPU": "1G", "SBATCH_GRES": "nvme:1"}
USER |= {"SBATCH_GPUS": "2", "SLURM_CONF": "/c", "PATH": "/bin", "SRUN_DEBUG": "1"}


def kept(
    environment: dict[str, str], resources: dict[str, object], **settings: str
) -> tuple[set[str], list[str]]:
    """What reaches sbatch, and what is said."""
    said: list[str] = []
    given = submitit_parameters(
        ExecutorSettings(**settings),  # type: ignore[arg-type]
        resources,
        Allocation(1, 1, int(str(resources.get("gpu", 0))), 1),
        "job",
        Path("/place"),
    )
    removed = variables_to_remove(environment, given, resources, said.append)
    return environment.keys() - removed, said


def test_settings_of_the_user_are_below_the_profile_and_the_rule() -> None:
    assert kept(USER, {}) == (set(USER), [])
    assert kept(USER, {}, partition="p")[0] == USER.keys() - {"SBATCH_PARTITION"}
    assert kept(USER, {"slurm_account": "a"})[0] == USER.keys() - {"SBATCH_ACCOUNT"}
    assert kept(USER, {"runtime": 5})[0] == USER.keys() - {"SBATCH_TIMELIMIT"}
    assert kept(USER, {"mem_mb": 5})[0] == USER.keys() - {"SBATCH_MEM_PER_CPU"}
    assert kept(USER, {"gpu": 1})[0] == USER.keys() - {"SBATCH_GPUS"}
    assert kept(USER, {"gres": "nvme:2"})[0] == USER.keys() - {"SBATCH_GRES"}
    assert kept(USER, {"slurm_extra": "reservation=s"})[0] == USER.keys() - {"SBATCH_RESERVATION"}


def test_what_the_executor_sets_itself_is_said() -> None:
    own = {"SBATCH_ARRAY_INX": "0-9", "SBATCH_WAIT": "1"}
    own |= {"SBATCH_OUTPUT": "x", "SBATCH_SIGNAL": "9"}
    left, said = kept({**USER, **own}, {})
    assert left == set(USER)
    assert "SBATCH_ARRAY_INX=0-9 is not passed on: the executor itself sets --array" in said
    assert len(said) == 4


def test_the_job_that_snakemake_runs_in_is_not_the_users() -> None:
    job = {"SLURM_JOB_ID": "1", "SLURM_NTASKS": "4", "SBATCH_MEM_BIND": "none", "SUBMITIT_X": "1"}
    left, said = kept({**USER, **job}, {})
    assert (left, said) == (USER.keys() - {"SRUN_DEBUG"}, [])
    assert kept({"SLURM_HINT": "nomultithread"}, {})[0] == {"SLURM_HINT"}


def test_jobs_go_to_one_cluster() -> None:
    check_one_cluster({"SBATCH_CLUSTERS": "one"})
    for name in ("SBATCH_CLUSTERS", "SLURM_CLUSTERS"):
        with pytest.raises(Exception, match=f"{name}=one,two: .*name that one"):
            check_one_cluster({name: "one,two"})
