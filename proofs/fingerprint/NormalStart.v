(** * From a normal start, only Sigma = S^2 c c^T + W is seen

    The start is S times one more draw. *)

From Coq Require Import Reals Lra Lia Arith FunctionalExtensionality.
From Fingerprint Require Import Samplers Folding Reduction Law.
Open Scope R_scope.

Section NormalStart.
Context {Label : Type}.
Variables (S : R) (K : nat).        (* the spread of the start; how many draws the noise is made of *)

(** Sigma_ij. *)
Definition Sigma (A : sampler Label) G (i j : nat) : R
  := S ^ 2 * start A i * start A j + covariance K G i j.

(** Draw 0 is that of the start, of which row j takes S c_j. *)
Definition shares (A : sampler Label) (G : nat -> nat -> R) (j d : nat) : R :=
  match d with O => S * start A j | Datatypes.S e => G j e end.

(** The output, from a start and a noise that are drawn together. *)
Definition drawn_output {Coordinate} A G (F : network Label Coordinate) n : state Coordinate :=
  output A F (fun k => S * n O k) (noise K G (fun d => n (Datatypes.S d))).

(** The sampler that starts from zero and has its start in its noise. *)
Definition at_zero (A : sampler Label) : sampler Label :=
  {| calls := calls A; label := label A; start := fun _ => 0; carried := carried A |}.

Lemma sum_first : forall m f, sum (Datatypes.S m) f = f O + sum m (fun i => f (Datatypes.S i)).
Proof. induction m as [|m IH]; intros f; [simpl; lra|]. simpl in *. rewrite IH. lra. Qed.

Lemma shares_covariance : forall A G i j, covariance (Datatypes.S K) (shares A G) i j = Sigma A G i j.
Proof. intros A G i j. unfold covariance at 1, dot. rewrite sum_first. unfold Sigma, covariance, dot.
simpl. lra. Qed.

(** Start and noise are seen by their sum alone. *)
Lemma drawn_at_zero : forall {Coordinate} A G (F : network Label Coordinate) n,
  drawn_output A G F n = output (at_zero A) F (fun _ => 0) (noise (Datatypes.S K) (shares A G) n).
Proof.
  intros Coordinate A G F n. unfold drawn_output, output. change (calls (at_zero A)) with (calls A).
  apply query_shares; try reflexivity. intros j k _.
  unfold noise, dot. rewrite sum_first. simpl. lra.
Qed.

(** l, H and Sigma agree after renaming; c may differ. *)
Definition same_from_normal (A : sampler Label) G (B : sampler Label) G' : Prop :=
  exists p p', renaming A B p p' /\
    (forall i, (i < calls A)%nat -> label A i = label B (p i)) /\
    (forall j i, (j <= calls A)%nat -> (i < calls A)%nat -> weight A j i = weight B (p j) (p i)) /\
    forall i j, (i <= calls A)%nat -> (j <= calls A)%nat -> Sigma A G i j = Sigma B G' (p i) (p j).

Lemma law_from_normal : forall {Coordinate} A G B G' (F : network Label Coordinate)
  (P : law Coordinate) event,
  same_from_normal A G B G' -> rotation_invariant (Datatypes.S K) P ->
  P (fun n => event (drawn_output A G F n)) = P (fun n => event (drawn_output B G' F n)).
Proof.
  intros Coordinate A G B G' F P event [p [p' [names [labels [weights covariances]]]]] invariant.
  transitivity (P (fun n => event (output (at_zero A) F (fun _ => 0) (noise (Datatypes.S K)
    (shares A G) n)))).
  { f_equal. extensionality n. f_equal. apply drawn_at_zero. }
  transitivity (P (fun n => event (output (at_zero B) F (fun _ => 0) (noise (Datatypes.S K)
    (shares B G') n)))).
  2: { f_equal. extensionality n. f_equal. symmetry. apply drawn_at_zero. }
  apply law_given_start; [|assumption].
  exists p, p'. split; [exact names|]. split; [split; [exact labels|split; [reflexivity|exact weights]]|].
  intros i j small_i small_j. rewrite !shares_covariance. apply covariances; assumption.
Qed.

(** Two calls share their start and noise exactly if they have the same c and the same noise. *)
Lemma shares_distance : forall A G i j,
  distance (Datatypes.S K) (shares A G) i j = S ^ 2 * (start A i - start A j) ^ 2 + distance K G i j.
Proof. intros A G i j. unfold distance at 1. rewrite !shares_covariance. unfold Sigma, distance. lra. Qed.

Lemma shares_alike : forall A G i j, S <> 0 ->
  distance (Datatypes.S K) (shares A G) i j = 0 <-> start A i = start A j /\ distance K G i j = 0.
Proof.
  intros A G i j spread. rewrite shares_distance.
  assert (0 <= distance K G i j).
  { rewrite distance_square. apply sum_squares. }
  split.
  - intros zero. assert (S ^ 2 * (start A i - start A j) ^ 2 = (S * (start A i - start A j)) ^ 2) by ring.
    pose proof (pow2_ge_0 (S * (start A i - start A j))).
    assert (S * (start A i - start A j) = 0) as product by (apply Rsqr_0_uniq; unfold Rsqr; lra).
    apply Rmult_integral in product. destruct product; [contradiction|]. split; lra.
  - intros [-> ->]. ring.
Qed.

Lemma at_zero_leads : forall A i, leads (at_zero A) i <-> leads A i.
Proof.
  intros A i. split; intros path.
  - induction path as [|j i _ IH entry]; [apply (leads_output A)|apply leads_back with j; assumption].
  - induction path as [|j i _ IH entry]; [apply (leads_output (at_zero A))|].
    apply leads_back with j; assumption.
Qed.

(** So merging calls that share start and noise is merging calls with the same c and the same noise. *)
Lemma reduced_alike : forall A G, S <> 0 ->
  reduced_given_start (Datatypes.S K) (at_zero A) (shares A G) <-> reduced_given_start K A G.
Proof.
  intros A G spread. split; intros [live distinct]; split.
  - intros i small. apply at_zero_leads. apply live. assumption.
  - intros i j small_i small_j [labels [starts rows]] noises. apply distinct; try assumption.
    + split; [assumption|]. split; [reflexivity|exact rows].
    + apply shares_alike; auto.
  - intros i small. apply at_zero_leads. apply live. assumption.
  - intros i j small_i small_j [labels [_ rows]] noises. apply shares_alike in noises; [|assumption].
    apply distinct; try assumption; [|apply noises]. split; [assumption|]. split; [apply noises|exact rows].
Qed.
End NormalStart.
